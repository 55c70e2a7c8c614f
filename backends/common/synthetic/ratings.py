import numpy as np


def ratings(
    seed: int,
    *,
    users: int = 400,
    items: int = 300,
    factors: int = 6,
    each: int = 24,
    genres: int = 8,
    popularity: float = 0.7,
    taste: float = 2.0,
) -> dict[str, np.ndarray]:
    """What users took: each took `each` items, by taste, popularity and chance.

    A row is one of these, first of 100 candidates; the others are items that the user left.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    genre = rng.integers(genres, size=items)
    center = rng.standard_normal((genres, factors))
    item = center[genre] + 0.7 * rng.standard_normal((items, factors))
    user = rng.standard_normal((users, factors))
    liking = taste * user @ item.T / np.sqrt(factors)
    liking += popularity * rng.standard_normal(items) + rng.gumbel(size=(users, items))
    order = np.argsort(-liking, axis=1)
    taken, left = order[:, :each], order[:, each:]
    log_frequency = np.log((1 + np.bincount(taken.ravel(), minlength=items)) / taken.size)
    others = rng.random((users, each, left.shape[1])).argsort(axis=2)[:, :, :99]
    negatives = np.take_along_axis(left[:, None], others, axis=2)
    candidates = np.concatenate([taken[:, :, None], negatives], axis=2).reshape(-1, 100)
    return {
        "user": np.repeat(np.arange(users), each),
        "candidates": candidates,
        "genre": genre[candidates],
        "log_frequency": log_frequency[candidates],
    }

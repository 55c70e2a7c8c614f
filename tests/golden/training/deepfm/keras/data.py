"""What 400 users took of 300 items: each row a thing taken, first of 100 candidates; the other 99 were left.: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

Columns = dict[str, np.ndarray]

NAME = "Ratings"
SEED = 0
SPLIT = {"train": 0.8, "val": 0.1, "test": 0.1}


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
    log_frequency = np.log(
        (1 + np.bincount(taken.ravel(), minlength=items)) / taken.size
    )
    others = rng.random((users, each, left.shape[1])).argsort(axis=2)[:, :, :99]
    negatives = np.take_along_axis(left[:, None], others, axis=2)
    candidates = np.concatenate([taken[:, :, None], negatives], axis=2).reshape(-1, 100)
    return {
        "user": np.repeat(np.arange(users), each),
        "candidates": candidates,
        "genre": genre[candidates],
        "log_frequency": log_frequency[candidates],
    }


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    made = ratings(SEED, users=400, items=300, genres=8)
    return {
        "user": column("user", made["user"], np.int64, ()),
        "candidates": column("candidates", made["candidates"], np.int64, (100,)),
        "genre": column("genre", made["genre"], np.int64, (100,)),
        "log_frequency": column(
            "log_frequency", made["log_frequency"], np.float32, (100,)
        ),
    }


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    ends = [math.floor(end * total + 1e-6) for end in np.cumsum([*SPLIT.values()])]
    parts = np.split(permutation(total, f"{SEED}:{NAME}"), ends)
    rows = parts[[*SPLIT].index(split)]
    return {name: values[rows] for name, values in columns.items()}


def batches(
    columns: Columns, size: int, seed: int = 0, epoch: int = 0, shuffle: bool = True
) -> Iterator[Columns]:
    """All examples once, in an order given by seed and epoch; the last batch may be small."""
    total = count(columns)
    order = permutation(total, f"{seed}:{epoch}") if shuffle else np.arange(total)
    for start in range(0, total, size):
        rows = order[start : start + size]
        yield {name: values[rows] for name, values in columns.items()}


def count(columns: Columns) -> int:
    """How many examples there are; ValueError where columns disagree."""
    counts = {name: len(values) for name, values in columns.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"columns differ in their number of examples: {counts}")
    return next(iter(counts.values()))


def permutation(total: int, stream: str) -> np.ndarray:
    """The order given by a named stream of random words: the same on every machine."""
    key = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:16], "little")
    return np.argsort(np.random.Philox(key=key).random_raw(total), kind="stable")


def column(
    name: str, values: np.ndarray, dtype: type[np.generic], shape: tuple[int, ...]
) -> np.ndarray:
    """The values, one row an example, as the declared type; ValueError if they cannot."""
    found = values.shape[1:]
    if shape not in (found, (1, *found)) and found != (math.prod(shape),):
        raise ValueError(
            f"{name}: an example has shape {list(found)}, expected {list(shape)}"
        )
    rows = values.reshape(len(values), *shape)
    try:
        converted = rows.astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None
    if not np.issubdtype(dtype, np.floating) and not np.array_equal(converted, rows):
        raise ValueError(f"{name}: not all values are of type {np.dtype(dtype)}")
    return converted

import numpy as np


def shapes(
    seed: int, *, examples: int = 1000, size: int = 16, noise: float = 0.05
) -> dict[str, np.ndarray]:
    """Grey images of one disc, square, triangle or cross each, of any place and size."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    label = rng.integers(4, size=examples)
    radius = rng.uniform(0.18, 0.36, (examples, 1, 1)) * size
    middle = rng.uniform(0.38, 0.62, (2, examples, 1, 1)) * size
    shade = rng.uniform(0.6, 1.0, (examples, 1, 1))
    x, y = np.arange(size)[None, None, :] + 0.5, np.arange(size)[None, :, None] + 0.5
    across, down = abs(x - middle[0]), y - middle[1]
    inside = [
        across**2 + down**2 < radius**2,
        np.maximum(across, abs(down)) < 0.85 * radius,
        (down < 0.8 * radius) & (2 * across < down + radius),
        (np.minimum(across, abs(down)) < 0.3 * radius)
        & (np.maximum(across, abs(down)) < radius),
    ]
    image = shade * np.choose(label[:, None, None], inside)
    image += noise * rng.standard_normal(image.shape)
    return {"image": image.clip(0, 1)[:, None], "label": label}

import numpy as np


def random_crop(
    x: np.ndarray, rng: np.random.Generator, *, padding: int = 4
) -> np.ndarray:
    """An image [C, H, W] moved by up to `padding` pixels; what comes in is 0."""
    _, height, width = x.shape
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    top, left = rng.integers(2 * padding + 1, size=2)
    return padded[:, top : top + height, left : left + width]

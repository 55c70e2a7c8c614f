import numpy as np


def mask_time(
    x: np.ndarray, rng: np.random.Generator, *, steps: int = 4, axis: int = 0
) -> np.ndarray:
    """A series [T, F] in which up to `steps` steps in a row are 0 (SpecAugment); axis 1 masks features."""
    length = int(rng.integers(min(steps, x.shape[axis]) + 1))
    start = int(rng.integers(x.shape[axis] - length + 1))
    x = x.copy()
    np.moveaxis(x, axis, 0)[start : start + length] = 0
    return x

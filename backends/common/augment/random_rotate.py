import numpy as np
from scipy.ndimage import rotate


def random_rotate(
    x: np.ndarray, rng: np.random.Generator, *, degrees: float = 15.0
) -> np.ndarray:
    """An image [C, H, W] turned about its middle by up to `degrees`."""
    angle = rng.uniform(-degrees, degrees)
    return np.asarray(rotate(x, angle, axes=(1, 2), reshape=False, order=1))

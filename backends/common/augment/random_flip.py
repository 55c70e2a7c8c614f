import numpy as np


def random_flip(
    x: np.ndarray, rng: np.random.Generator, *, p: float = 0.5, vertical: bool = False
) -> np.ndarray:
    """An image [C, H, W], mirrored in one of `1 / p` cases."""
    return np.flip(x, 1 if vertical else 2) if rng.random() < p else x

import numpy as np


def random_noise(
    x: np.ndarray, rng: np.random.Generator, *, std: float = 0.1
) -> np.ndarray:
    """Any numbers with normal noise added."""
    return x + std * rng.standard_normal(x.shape)

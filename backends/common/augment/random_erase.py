import numpy as np


def random_erase(
    x: np.ndarray, rng: np.random.Generator, *, p: float = 0.5, share: float = 0.2
) -> np.ndarray:
    """An image [C, H, W] in which a rectangle of up to this share is 0 (Zhong et al. 2017)."""
    if rng.random() >= p:
        return x
    extent = np.array(x.shape[1:])
    area, aspect = rng.uniform(0, share), np.exp(rng.uniform(-1, 1))
    size = np.minimum(np.sqrt(area * np.array([aspect, 1 / aspect])), 1) * extent
    top, left = rng.uniform(0, extent - size)
    x = x.copy()
    x[:, round(top) : round(top + size[0]), round(left) : round(left + size[1])] = 0
    return x

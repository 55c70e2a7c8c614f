import numpy as np


def mask_tokens(
    x: np.ndarray, rng: np.random.Generator, *, p: float = 0.15, token: int = 0
) -> np.ndarray:
    """Numbers of symbols [T], of which the share `p` becomes `token`."""
    return np.where(rng.random(x.shape) < p, token, x)

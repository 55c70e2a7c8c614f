import numpy as np


def cutmix(
    mine: list[np.ndarray],
    other: list[np.ndarray],
    rng: np.random.Generator,
    *,
    alpha: float = 1.0,
) -> list[np.ndarray]:
    """A rectangle of another example's image [C, H, W]; the other columns mix by its area (Yun et al. 2019)."""
    height, width = mine[0].shape[1:]
    side = np.sqrt(1 - rng.beta(alpha, alpha))
    middle = rng.uniform(0, [height, width])
    half = side * np.array([height, width]) / 2
    top, left = np.maximum(np.round(middle - half).astype(int), 0)
    bottom, right = np.minimum(np.round(middle + half).astype(int), [height, width])
    image = mine[0].copy()
    image[:, top:bottom, left:right] = other[0][:, top:bottom, left:right]
    share = 1 - (bottom - top) * (right - left) / (height * width)
    rest = zip(mine[1:], other[1:], strict=True)
    return [image, *(share * a + (1 - share) * b for a, b in rest)]

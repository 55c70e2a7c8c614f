import numpy as np
from scipy.ndimage import affine_transform


def random_affine(
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    degrees: float = 10.0,
    shift: float = 0.1,
    scale: float = 0.1,
    shear: float = 0.0,
) -> np.ndarray:
    """An image [C, H, W] turned, moved by a share of its size, scaled and slanted about its middle."""
    angle, down, right, size, slant = rng.uniform(-1, 1, 5)
    turn, tilt = np.deg2rad(angle * degrees), np.deg2rad(slant * shear)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.linalg.inv(
        (1 + size * scale) * rotate @ np.array([[1, 0], [np.tan(tilt), 1]])
    )
    extent = np.array(x.shape[1:])
    middle = (extent - 1) / 2
    offset = middle - back @ (middle + shift * extent * [down, right])
    moved = [affine_transform(each, back, offset, order=1) for each in x]
    return np.stack(moved)

import numpy as np


def random_color(
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    brightness: float = 0.2,
    contrast: float = 0.2,
    saturation: float = 0.2,
) -> np.ndarray:
    """An image [C, H, W] made lighter or darker, harder or softer, paler or more colourful by these shares."""
    light, hard, colorful = 1 + rng.uniform(-1, 1, 3) * [
        brightness,
        contrast,
        saturation,
    ]
    x = light * x
    x = x.mean() + hard * (x - x.mean())
    grey = x.mean(axis=0)
    return grey + colorful * (x - grey)

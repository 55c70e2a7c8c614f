from pathlib import Path

import numpy as np
from PIL import Image


def image(file: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """An image file as numbers from 0 to 255, channels first, resized to a shape."""
    channels, height, width = shape
    mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
    with Image.open(file) as opened:
        pixels = opened.convert(mode)
        if pixels.size != (width, height):
            pixels = pixels.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(pixels).reshape(height, width, channels).transpose(2, 0, 1)

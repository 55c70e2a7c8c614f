import numpy as np


def bilinear(shape, dtype=None):
    """A kernel [out, in, *window] that is the interpolation of each channel by itself."""
    window = np.ones(())
    for length in shape[2:]:
        distance = np.abs(np.arange(length) - (length - 1) / 2)
        window = window[..., None] * (1 - distance / ((length + 1) // 2))
    kernel = np.zeros(shape, dtype=dtype or "float32")
    channels = np.arange(min(shape[:2]))
    kernel[channels, channels] = window
    return kernel

"""Generator: Noise to the 64 pixels of an image.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
"""

import keras
from keras import layers, ops


class Generator(keras.Model):
    """z: float32 [N, 32] -> image: float32 [N, pixels]."""

    def __init__(self, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(pixels)

    def call(self, z):
        x = self.linear1(z)  # [N, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.linear2(x)
        x = ops.where(x > 0.0, x, x * 0.2)
        return ops.tanh(self.linear3(x))

"""Generator: 100 numbers, uniform within -1 and 1, to an image: 100-1200-1200-784.

Printed by dlspec 0.1.0 from specs/generative/gan.dls.
"""

import keras
from keras import layers, ops


class Generator(keras.Model):
    """z: float32 [N, 100] -> image: float32 [N, pixels]."""

    def __init__(self, width: int = 1200, pixels: int = 784) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(pixels)

    def call(self, z):
        x = ops.relu(self.linear1(z))  # [N, width]
        x = ops.relu(self.linear2(x))
        return ops.sigmoid(self.linear3(x))

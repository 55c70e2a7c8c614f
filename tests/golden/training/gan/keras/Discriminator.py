"""Discriminator: an image to the log-odds that it is real.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
"""

import keras
from keras import layers, ops


class Discriminator(keras.Model):
    """image: float32 [N, 64] -> real: float32 [N, 1]."""

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.dropout1 = layers.Dropout(0.3)
        self.linear2 = layers.Dense(width)
        self.dropout2 = layers.Dropout(0.3)
        self.linear3 = layers.Dense(1)

    def call(self, image):
        x = self.linear1(image)  # [N, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.linear2(self.dropout1(x))
        x = ops.where(x > 0.0, x, x * 0.2)
        return self.linear3(self.dropout2(x))

"""Discriminator: an image to the log-odds that it is real: two layers of 240 maxout
units with five pieces each.

Printed by dlspec 0.1.0 from specs/generative/gan.dls.
"""

import keras
from keras import layers, ops


class Maxout(layers.Layer):
    """[N, D] -> [N, units]; the pieces of a unit lie beside each other in the
    weight.

    x: float32 [N, D] -> float32 [N, units].
    """

    def __init__(self, units: int, pieces: int = 5) -> None:
        super().__init__()
        self.units = units
        self.pieces = pieces
        self.linear = layers.Dense(pieces * units)

    def call(self, x):
        x = self.linear(x)  # [N, pieces * units]
        x = ops.reshape(x, (-1, self.units, self.pieces))  # [N, units, pieces]
        return ops.max(x, axis=2)


class Discriminator(keras.Model):
    """image: float32 [N, 784] -> real: float32 [N, 1]."""

    def __init__(self, width: int = 240, pieces: int = 5) -> None:
        super().__init__()
        self.dropout1 = layers.Dropout(0.2)
        self.maxout1 = Maxout(width, pieces=pieces)
        self.dropout2 = layers.Dropout(0.5)
        self.maxout2 = Maxout(width, pieces=pieces)
        self.dropout3 = layers.Dropout(0.5)
        self.linear = layers.Dense(1)

    def call(self, image):
        x = self.dropout2(self.maxout1(self.dropout1(image)))  # [N, width]
        x = self.dropout3(self.maxout2(x))
        return self.linear(x)

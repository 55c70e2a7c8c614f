"""Encoder: One of eight, through three units, to the same one of eight: 8-3-8, 59
parameters. A binary code is learned.

Printed by dlspec 0.1.0 from specs/foundations/backprop.dls.
"""

import keras
from keras import layers, ops


class Logistic(layers.Layer):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, D] -> x: float32 [N, 8].
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = layers.Dense(3)
        self.linear2 = layers.Dense(8)

    def call(self, x):
        x = ops.sigmoid(self.linear1(x))  # [N, 3]
        return ops.sigmoid(self.linear2(x))


class Encoder(keras.Model):
    """which: float32 [N, 8] -> drawn: float32 [N, 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.logistic = Logistic()

    def call(self, which):
        return self.logistic(which)

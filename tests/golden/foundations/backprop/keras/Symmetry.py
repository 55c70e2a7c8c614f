"""Symmetry: Is a row of six bits the same from both ends? 6-2-1, 17 parameters: two
hidden units are enough.

Printed by dlspec 0.1.0 from specs/foundations/backprop.dls.
"""

import keras
from keras import layers, ops


class Logistic(layers.Layer):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, D] -> x: float32 [N, 1].
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = layers.Dense(2)
        self.linear2 = layers.Dense(1)

    def call(self, x):
        x = ops.sigmoid(self.linear1(x))  # [N, 2]
        return ops.sigmoid(self.linear2(x))


class Symmetry(keras.Model):
    """bits: float32 [N, 6] -> answer: float32 [N, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.logistic = Logistic()

    def call(self, bits):
        return self.logistic(bits)

"""Head: the head by itself, over the features of two views.

Printed by dlspec 0.1.0 from specs/adaptation/simclr.dls.
"""

import keras
from keras import layers, ops


class ProjectionHead(layers.Layer):
    """The hidden layer is as wide as what comes in.

    h: float32 [N, dim] -> float32 [N, width].
    """

    def __init__(self, dim: int, width: int = 128) -> None:
        super().__init__()
        self.linear1 = layers.Dense(dim, use_bias=False)
        self.linear2 = layers.Dense(width, use_bias=False)

    def call(self, h):
        x = ops.relu(self.linear1(h))
        return self.linear2(x)


def unit(x):
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, 128] -> float32 [N, 128].
    """
    h = ops.sum(x * x, axis=1, keepdims=True)  # [N, 1]
    y = ops.equal(h, 0.0)
    h = ops.where(y, 1.0, h)
    y = ops.where(y, 0.0, ops.sqrt(h))
    return x / y


class Head(keras.Model):
    """first: float32 [N, features], second: float32 [N, features]
    -> a: float32 [N, width], b: float32 [N, width], likeness: float32 [N].
    """

    def __init__(self, features: int = 2048, width: int = 128) -> None:
        super().__init__()
        self.project = ProjectionHead(features, width=width)

    def call(self, first, second):
        a = self.project(first)  # [N, width]
        b = self.project(second)  # [N, width]
        x = unit(a) * unit(b)
        likeness = ops.sum(x, axis=1)  # [N]
        return a, b, likeness

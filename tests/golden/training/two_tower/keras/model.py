"""TwoTower.

Printed by dlspec 0.1.0 from specs/training/two_tower.dls.
"""

import keras
from keras import layers, ops


def unit(x):
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, 16] -> float32 [N, 16].
    """
    h = ops.sum(x * x, axis=1, keepdims=True)  # [N, 1]
    y = ops.equal(h, 0.0)
    h = ops.where(y, 1.0, h)
    y = ops.where(y, 0.0, ops.sqrt(h))
    return x / y


def unit2(x):
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, C, 16] -> float32 [N, C, 16].
    """
    h = ops.sum(x * x, axis=2, keepdims=True)  # [N, C, 1]
    y = ops.equal(h, 0.0)
    h = ops.where(y, 1.0, h)
    y = ops.where(y, 0.0, ops.sqrt(h))
    return x / y


class Tower(layers.Layer):
    """One of many things as a vector of length 1.

    which: int64 [N] -> float32 [N, width].
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = layers.Embedding(count, width)
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(width)

    def call(self, which):
        x = self.embedding(which)  # [N, width]
        x = ops.relu(self.linear1(x))  # [N, hidden]
        x = self.linear2(x)  # [N, width]
        return unit(x)


class Tower2(layers.Layer):
    """One of many things as a vector of length 1.

    which: int64 [N, C] -> float32 [N, C, width].
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = layers.Embedding(count, width)
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(width)

    def call(self, which):
        x = self.embedding(which)  # [N, C, width]
        x = ops.relu(self.linear1(x))  # [N, C, hidden]
        x = self.linear2(x)  # [N, C, width]
        return unit2(x)


class TwoTower(keras.Model):
    """user: int64 [N], candidates: int64 [N, C]
    -> u: float32 [N, width], v: float32 [N, C, width], scores: float32 [N, C].
    """

    def __init__(
        self, users: int = 400, items: int = 300, width: int = 16, hidden: int = 32
    ) -> None:
        super().__init__()
        self.tower1 = Tower(users, width, hidden)
        self.tower2 = Tower2(items, width, hidden)

    def call(self, user, candidates):
        u = self.tower1(user)  # [N, width]
        v = self.tower2(candidates)  # [N, C, width]
        scores = ops.einsum("ab,acb->ac", u, v)  # [N, C]
        return u, v, scores

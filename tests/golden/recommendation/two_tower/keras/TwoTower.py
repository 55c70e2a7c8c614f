"""TwoTower.

Printed by dlspec 0.1.0 from specs/recommendation/two_tower.dls.
"""

import keras
from keras import layers, ops


def unit(x):
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, 32] -> float32 [N, 32].
    """
    h = ops.sum(x * x, axis=1, keepdims=True)  # [N, 1]
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


class TwoTower(keras.Model):
    """user: int64 [N], item: int64 [N]
    -> score: float32 [N], u: float32 [N, width], v: float32 [N, width].
    """

    def __init__(
        self, users: int = 6040, items: int = 3706, width: int = 32, hidden: int = 64
    ) -> None:
        super().__init__()
        self.query = Tower(users, width, hidden)
        self.candidate = Tower(items, width, hidden)

    def call(self, user, item):
        u = self.query(user)  # [N, width]
        v = self.candidate(item)  # [N, width]
        score = ops.sum(u * v, axis=1)  # [N]
        return score, u, v

"""Investment.

Printed by dlspec 0.1.0 from specs/training/firms.dls.
"""

import keras
from keras import layers, ops


class Deep(layers.Layer):
    """x: float32 [N, 7] -> float32 [N, 1]."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(1)

    def call(self, x):
        x = ops.tanh(self.linear1(x))  # [N, width]
        return self.linear2(x)


class Investment(keras.Model):
    """firm: int64 [N], value: float32 [N], capital: float32 [N], year: float32 [N]
    -> invested: float32 [N].
    """

    def __init__(self, firms: int = 11, size: int = 4, width: int = 32) -> None:
        super().__init__()
        self.embedding1 = layers.Embedding(firms, 1)
        self.linear = layers.Dense(1)
        self.embedding2 = layers.Embedding(firms, size)
        self.deep = Deep(width)

    def call(self, firm, value, capital, year):
        numbers = ops.stack([value, capital, year], axis=1)  # [N, 3]
        wide = self.embedding1(firm) + self.linear(numbers)  # [N, 1]
        x = self.embedding2(firm)  # [N, size]
        x = ops.concatenate([x, numbers], axis=1)  # [N, size + 3]
        deep = self.deep(x)  # [N, 1]
        return ops.squeeze(wide + deep, axis=1)

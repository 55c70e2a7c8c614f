"""Autoencoder: 784-1000-500-250-30-250-500-1000-784.

Printed by dlspec 0.1.0 from specs/foundations/autoencoder.dls.
"""

import keras
from keras import layers, ops


class Logistic(layers.Layer):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, D] -> x: float32 [N, 250].
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = layers.Dense(1000)
        self.linear2 = layers.Dense(500)
        self.linear3 = layers.Dense(250)

    def call(self, x):
        x = ops.sigmoid(self.linear1(x))  # [N, 1000]
        x = ops.sigmoid(self.linear2(x))  # [N, 500]
        return ops.sigmoid(self.linear3(x))


class LogisticProjection(layers.Layer):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, D] -> x: float32 [N, 784].
    """

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = layers.Dense(250)
        self.linear2 = layers.Dense(500)
        self.linear3 = layers.Dense(1000)
        self.linear4 = layers.Dense(784)

    def call(self, x):
        x = ops.sigmoid(self.linear1(x))  # [N, 250]
        x = ops.sigmoid(self.linear2(x))  # [N, 500]
        x = ops.sigmoid(self.linear3(x))  # [N, 1000]
        return ops.sigmoid(self.linear4(x))


class Autoencoder(keras.Model):
    """image: float32 [N, 784] -> drawn: float32 [N, 784], z: float32 [N, code]."""

    def __init__(self, code: int = 30) -> None:
        super().__init__()
        self.logistic1 = Logistic()
        self.linear = layers.Dense(code)
        self.logistic2 = LogisticProjection()

    def call(self, image):
        x = self.logistic1(image)  # [N, 250]
        z = self.linear(x)  # [N, code]
        drawn = self.logistic2(z)  # [N, 784]
        return drawn, z

"""Autoencoder: 784-1000-500-250-30-250-500-1000-784.

Printed by dlspec 0.1.0 from specs/foundations/autoencoder.dls.
"""

import keras
from keras import layers, ops


class Logistic(layers.Layer):
    """A stack of logistic layers.

    x: float32 [N, D] -> x: float32 [N, out_features2].
    """

    def __init__(self, out_features: int, out_features2: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(out_features)
        self.linear2 = layers.Dense(500)
        self.linear3 = layers.Dense(out_features2)

    def call(self, x):
        x = ops.sigmoid(self.linear1(x))  # [N, out_features]
        x = ops.sigmoid(self.linear2(x))  # [N, 500]
        return ops.sigmoid(self.linear3(x))


class Autoencoder(keras.Model):
    """image: float32 [N, 784] -> drawn: float32 [N, 784], z: float32 [N, 30]."""

    def __init__(self) -> None:
        super().__init__()
        self.logistic1 = Logistic(out_features=1000, out_features2=250)
        self.linear1 = layers.Dense(30)
        self.logistic2 = Logistic(out_features=250, out_features2=1000)
        self.linear2 = layers.Dense(784)

    def call(self, image):
        x = self.logistic1(image)  # [N, 250]
        z = self.linear1(x)  # [N, 30]
        x = self.logistic2(z)  # [N, 1000]
        drawn = ops.sigmoid(self.linear2(x))  # [N, 784]
        return drawn, z

"""Autoencoder: 64-256-128-4-128-256-64.

Printed by dlspec 0.1.0 from specs/training/autoencoder.dls.
"""

import keras
from keras import layers, ops


class Layers(layers.Layer):
    """x: float32 [N, D] -> x: float32 [N, out_features2]."""

    def __init__(self, out_features: int, out_features2: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(out_features)
        self.linear2 = layers.Dense(out_features2)

    def call(self, x):
        x = ops.relu(self.linear1(x))  # [N, out_features]
        return ops.relu(self.linear2(x))


class Autoencoder(keras.Model):
    """image: float32 [N, pixels]
    -> drawn: float32 [N, pixels], z: float32 [N, code].
    """

    def __init__(self, pixels: int = 64, code: int = 4) -> None:
        super().__init__()
        self.layers1 = Layers(256, 128)
        self.linear1 = layers.Dense(code)
        self.layers2 = Layers(128, 256)
        self.linear2 = layers.Dense(pixels)

    def call(self, image):
        x = self.layers1(image)  # [N, 128]
        z = self.linear1(x)  # [N, code]
        x = self.layers2(z)  # [N, 256]
        drawn = ops.sigmoid(self.linear2(x))  # [N, pixels]
        return drawn, z

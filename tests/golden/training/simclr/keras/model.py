"""Encoder, Projection and Probe.

Printed by dlspec 0.1.0 from specs/training/simclr.dls.
"""

import keras
from keras import layers, ops


class Encoder(layers.Layer):
    """64 pixels to what a probe can read.

    image: float32 [N, 64] -> float32 [N, features].
    """

    def __init__(self, features: int = 128) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(32, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(64, 3, strides=2)
        self.linear = layers.Dense(features)

    def call(self, image):
        x = ops.reshape(image, (-1, 8, 8, 1))  # [N, 8, 8, 1]
        x = self.pad(x)  # [N, 10, 10, 1]
        x = ops.gelu(self.conv1(x), approximate=False)  # [N, 8, 8, 32]
        x = self.pad2(x)  # [N, 10, 10, 32]
        x = ops.gelu(self.conv2(x), approximate=False)  # [N, 4, 4, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 4, 4]
        x = ops.reshape(x, (-1, 1024))  # [N, 1024]
        return self.linear(x)


class Projection(layers.Layer):
    """Where the views are compared; thrown away afterwards.

    h: float32 [N, 128] -> float32 [N, width].
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.linear1 = layers.Dense(128)
        self.linear2 = layers.Dense(width)

    def call(self, h):
        x = self.linear1(ops.gelu(h, approximate=False))
        return self.linear2(ops.gelu(x, approximate=False))


class Probe(keras.Model):
    """h: float32 [N, 128] -> float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.linear = layers.Dense(classes)

    def call(self, h):
        return self.linear(h)

"""Decoder: From tokens, one-hot or mixtures, to six channels: mean and logarithm of
the scale of each colour.

Printed by dlspec 0.1.0 from specs/multimodal/dvae.dls.
"""

import keras
from keras import layers, ops


class Residual(layers.Layer):
    """relu and convolution four times, added to x by 1/64th, so that all 8 blocks
    together do not grow.

    x: float32 [N, H, W, in_channels] -> float32 [N, H, W, channels].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(channels // 4, 1)
        self.pad = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels // 4, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv3 = layers.Conv2D(channels // 4, 3)
        self.pad3 = layers.ZeroPadding2D(1)
        self.conv4 = layers.Conv2D(channels, 3)
        self.conv5 = None
        if in_channels != channels:
            self.conv5 = layers.Conv2D(channels, 1)

    def call(self, x):
        h = self.conv1(ops.relu(x))  # [N, H, W, channels // 4]
        y = self.pad(ops.relu(h))  # [N, H + 2, W + 2, channels // 4]
        h = self.conv2(y)  # [N, H, W, channels // 4]
        y = self.pad2(ops.relu(h))  # [N, H + 2, W + 2, channels // 4]
        h = self.conv3(y)  # [N, H, W, channels // 4]
        y = self.pad3(ops.relu(h))  # [N, H + 2, W + 2, channels // 4]
        h = self.conv4(y)  # [N, H, W, channels]
        skip = x if self.conv5 is None else self.conv5(x)  # [N, H, W, channels]
        return skip + 0.015625 * h


class Decoder(keras.Model):
    """z: float32 [N, 8192, 32, 32] -> drawn: float32 [N, 6, 256, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(128, 1)
        self.residual1 = Residual(128, 2048)
        self.residual2 = Residual(2048, 2048)
        self.x = layers.UpSampling2D(2)
        self.residual3 = Residual(2048, 1024)
        self.residual4 = Residual(1024, 1024)
        self.x2 = layers.UpSampling2D(2)
        self.residual5 = Residual(1024, 512)
        self.residual6 = Residual(512, 512)
        self.x3 = layers.UpSampling2D(2)
        self.residual7 = Residual(512, 256)
        self.residual8 = Residual(256, 256)
        self.conv2 = layers.Conv2D(6, 1)

    def call(self, z):
        x = ops.transpose(z, (0, 2, 3, 1))  # [N, 32, 32, 8192]
        x = self.conv1(x)  # [N, 32, 32, 128]
        x = self.residual1(x)  # [N, 32, 32, 2048]
        x = self.residual2(x)
        x = self.x(x)  # [N, 64, 64, 2048]
        x = self.residual3(x)  # [N, 64, 64, 1024]
        x = self.residual4(x)
        x = self.x2(x)  # [N, 128, 128, 1024]
        x = self.residual5(x)  # [N, 128, 128, 512]
        x = self.residual6(x)
        x = self.x3(x)  # [N, 256, 256, 512]
        x = self.residual7(x)  # [N, 256, 256, 256]
        x = self.residual8(x)
        drawn = self.conv2(ops.relu(x))  # [N, 256, 256, 6]
        return ops.transpose(drawn, (0, 3, 1, 2))

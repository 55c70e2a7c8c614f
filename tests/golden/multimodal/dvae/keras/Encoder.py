"""Encoder: Log-odds of the tokens: [N, 3, 256, 256] to [N, 8192, 32, 32], between
convolutions of 7 and of 1.

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
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels // 4, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels // 4, 3)
        self.pad3 = layers.ZeroPadding2D(1)
        self.conv3 = layers.Conv2D(channels // 4, 3)
        self.conv4 = layers.Conv2D(channels, 1)
        self.conv5 = None
        if in_channels != channels:
            self.conv5 = layers.Conv2D(channels, 1)

    def call(self, x):
        y = self.pad(ops.relu(x))  # [N, H + 2, W + 2, in_channels]
        h = self.conv1(y)  # [N, H, W, channels // 4]
        y = self.pad2(ops.relu(h))  # [N, H + 2, W + 2, channels // 4]
        h = self.conv2(y)  # [N, H, W, channels // 4]
        y = self.pad3(ops.relu(h))  # [N, H + 2, W + 2, channels // 4]
        h = self.conv3(y)  # [N, H, W, channels // 4]
        h = self.conv4(ops.relu(h))  # [N, H, W, channels]
        skip = x if self.conv5 is None else self.conv5(x)  # [N, H, W, channels]
        return skip + 0.015625 * h


class Encoder(keras.Model):
    """image: float32 [N, 3, 256, 256] -> logits: float32 [N, tokens, 32, 32]."""

    def __init__(self, tokens: int = 8192) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(3)
        self.conv1 = layers.Conv2D(256, 7)
        self.residual1 = Residual(256, 256)
        self.residual2 = Residual(256, 256)
        self.residual3 = Residual(256, 512)
        self.residual4 = Residual(512, 512)
        self.residual5 = Residual(512, 1024)
        self.residual6 = Residual(1024, 1024)
        self.residual7 = Residual(1024, 2048)
        self.residual8 = Residual(2048, 2048)
        self.conv2 = layers.Conv2D(tokens, 1)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 256, 256, 3]
        x = self.pad(x)  # [N, 262, 262, 3]
        x = self.conv1(x)  # [N, 256, 256, 256]
        x = self.residual1(x)
        x = self.residual2(x)
        x = ops.max_pool(x, 2)  # [N, 128, 128, 256]
        x = self.residual3(x)  # [N, 128, 128, 512]
        x = self.residual4(x)
        x = ops.max_pool(x, 2)  # [N, 64, 64, 512]
        x = self.residual5(x)  # [N, 64, 64, 1024]
        x = self.residual6(x)
        x = ops.max_pool(x, 2)  # [N, 32, 32, 1024]
        x = self.residual7(x)  # [N, 32, 32, 2048]
        x = self.residual8(x)
        logits = self.conv2(ops.relu(x))  # [N, 32, 32, tokens]
        return ops.transpose(logits, (0, 3, 1, 2))

"""UNet.

Printed by dlspec 0.1.0 from specs/vision/unet.dls.
"""

import keras
from keras import layers, ops


class DoubleConv(layers.Layer):
    """x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, channels]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(channels, 3)
        self.conv2 = layers.Conv2D(channels, 3)

    def call(self, x):
        x = ops.relu(self.conv1(x))  # [N, H - 2, W - 2, channels]
        return ops.relu(self.conv2(x))


def crop(x, like):
    """The part of x that is as large as `like`, `offset` from the top and from the
    left; from its middle where it is not given.

    x: float32 [N, H, W, C], like: float32 [N, P, Q, D] -> float32 [N, P, Q, C].
    """
    _, H, W, _ = ops.shape(x)
    _, P, Q, _ = ops.shape(like)
    output = x[
        :, -P + (H + P) // 2 : -H + (H + P) // 2, -Q + (Q + W) // 2 : -W + (Q + W) // 2
    ]
    return output


class Up(layers.Layer):
    """Twice the resolution and half the channels, beside what comes across.

    x: float32 [N, H, W, in_channels], across: float32 [N, P, Q, D]
    -> float32 [N, 2 * H - 4, 2 * W - 4, in_channels // 2].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv_transpose = layers.Conv2DTranspose(in_channels // 2, 2, strides=2)
        self.double_conv = DoubleConv(in_channels // 2)

    def call(self, x, across):
        x = self.conv_transpose(x)  # [N, 2 * H, 2 * W, in_channels // 2]
        h = crop(across, x)  # [N, 2 * H, 2 * W, D]
        h = ops.concatenate([h, x], axis=3)  # [N, 2 * H, 2 * W, in_channels]
        return self.double_conv(h)


class UNet(keras.Model):
    """image: float32 [N, 1, 572, 572] -> scores: float32 [N, classes, 388, 388]."""

    def __init__(self, width: int = 64, classes: int = 2, dropout: float = 0.5) -> None:
        super().__init__()
        self.double_conv1 = DoubleConv(width)
        self.double_conv2 = DoubleConv(2 * width)
        self.double_conv3 = DoubleConv(4 * width)
        self.double_conv4 = DoubleConv(8 * width)
        self.double_conv5 = DoubleConv(16 * width)
        self.dropout = layers.Dropout(dropout)
        self.up1 = Up(16 * width)
        self.up2 = Up(8 * width)
        self.up3 = Up(4 * width)
        self.up4 = Up(2 * width)
        self.conv = layers.Conv2D(classes, 1)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 572, 572, 1]
        x = self.double_conv1(x)  # [N, 568, 568, width]
        h = ops.max_pool(x, 2)  # [N, 284, 284, width]
        x1 = self.double_conv2(h)  # [N, 280, 280, 2 * width]
        h = ops.max_pool(x1, 2)  # [N, 140, 140, 2 * width]
        x2 = self.double_conv3(h)  # [N, 136, 136, 4 * width]
        h = ops.max_pool(x2, 2)  # [N, 68, 68, 4 * width]
        x3 = self.double_conv4(h)  # [N, 64, 64, 8 * width]
        h = ops.max_pool(x3, 2)  # [N, 32, 32, 8 * width]
        x4 = self.double_conv5(h)  # [N, 28, 28, 16 * width]
        x4 = self.dropout(x4)
        x3 = self.up1(x4, x3)  # [N, 52, 52, 8 * width]
        x2 = self.up2(x3, x2)  # [N, 100, 100, 4 * width]
        x1 = self.up3(x2, x1)  # [N, 196, 196, 2 * width]
        x = self.up4(x1, x)  # [N, 388, 388, width]
        scores = self.conv(x)  # [N, 388, 388, classes]
        return ops.transpose(scores, (0, 3, 1, 2))

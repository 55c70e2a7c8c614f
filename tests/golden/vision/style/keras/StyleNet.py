"""StyleNet.

Printed by dlspec 0.1.0 from specs/vision/style.dls.
"""

import keras
from keras import layers, ops


def pad_edge(x, padding):
    """More of the outermost elements of each axis: (before, after) of them."""
    for axis, (before, after) in enumerate(padding):
        if before + after > 0:
            length = ops.shape(x)[axis]
            places = ops.clip(ops.arange(-before, length + after), 0, length - 1)
            x = ops.take(x, places, axis=axis)
    return x


class Conv(layers.Layer):
    """A convolution over the image, whose edge is repeated.

    x: float32 [N, H, W, C] -> float32 [N, H'', W'', channels].
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.kernel = kernel
        self.conv = layers.Conv2D(channels, kernel, strides=stride)

    def call(self, x):
        x = pad_edge(
            x,
            (
                (0, 0),
                (self.kernel // 2, self.kernel // 2),
                (self.kernel // 2, self.kernel // 2),
                (0, 0),
            ),
        )
        return self.conv(x)


class Residual(layers.Layer):
    """x: float32 [N, H, W, in_channels] -> float32 [N, H, W, in_channels]."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = Conv(in_channels, 3)
        self.norm1 = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        self.conv2 = Conv(in_channels, 3)
        self.norm2 = layers.GroupNormalization(groups=-1, epsilon=1e-5)

    def call(self, x):
        h = ops.relu(self.norm1(self.conv1(x)))
        return x + self.norm2(self.conv2(h))


class Up(layers.Layer):
    """Twice the resolution.

    x: float32 [N, H, W, C] -> float32 [N, 2 * H, 2 * W, channels].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_transpose = layers.Conv2DTranspose(channels, 3, strides=2)

    def call(self, x):
        x = self.conv_transpose(x)  # [N, 2 * H + 1, 2 * W + 1, channels]
        return x[:, 1:, 1:]


class StyleNet(keras.Model):
    """image: float32 [N, 3, 256, 256] -> drawn: float32 [N, 3, 256, 256]."""

    def __init__(self, width: int = 32, depth: int = 5) -> None:
        super().__init__()
        self.conv1 = Conv(width, 9)
        self.norm1 = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        self.conv2 = Conv(2 * width, 3, stride=2)
        self.norm2 = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        self.conv3 = Conv(4 * width, 3, stride=2)
        self.norm3 = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        self.residuals = keras.Sequential([Residual(4 * width) for _ in range(depth)])
        self.up1 = Up(2 * width)
        self.norm4 = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        self.up2 = Up(width)
        self.norm5 = layers.GroupNormalization(groups=-1, epsilon=1e-5)
        self.conv4 = Conv(3, 3)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 256, 256, 3]
        x = ops.relu(self.norm1(self.conv1(x)))  # [N, 256, 256, width]
        x = ops.relu(self.norm2(self.conv2(x)))  # [N, 128, 128, 2 * width]
        x = ops.relu(self.norm3(self.conv3(x)))  # [N, 64, 64, 4 * width]
        x = self.residuals(x)
        x = ops.relu(self.norm4(self.up1(x)))  # [N, 128, 128, 2 * width]
        x = ops.relu(self.norm5(self.up2(x)))  # [N, 256, 256, width]
        drawn = self.conv4(x)  # [N, 256, 256, 3]
        return ops.transpose(drawn, (0, 3, 1, 2))

"""UNet.

Printed by dlspec 0.1.0 from specs/training/unet.dls.
"""

import keras
from keras import layers, ops


class BatchNorm(layers.BatchNormalization):
    """Batch normalisation whose running variance is unbiased, as in PyTorch."""

    def __init__(self, momentum=0.1, epsilon=1e-5, affine=True) -> None:
        super().__init__(-1, 1 - momentum, epsilon, center=affine, scale=affine)

    def call(self, inputs, training=None, mask=None):
        before = ops.copy(self.moving_variance)
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            count = ops.cast(ops.size(inputs) // inputs.shape[-1], before.dtype)
            new = self.moving_variance - self.momentum * before
            unbiased = self.momentum * before + new * count / (count - 1)
            self.moving_variance.assign(unbiased)
        return outputs


class DoubleConv(layers.Layer):
    """x: float32 [N, H, W, C] -> float32 [N, H, W, channels]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels, 3, use_bias=False)
        self.norm1 = BatchNorm()
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels, 3, use_bias=False)
        self.norm2 = BatchNorm()

    def call(self, x):
        x = self.pad(x)  # [N, H + 2, W + 2, C]
        x = ops.gelu(self.norm1(self.conv1(x)), approximate=False)
        x = self.pad2(x)  # [N, H + 2, W + 2, channels]
        return ops.gelu(self.norm2(self.conv2(x)), approximate=False)


class Up(layers.Layer):
    """x: float32 [N, H, W, in_channels], across: float32 [N, P, Q, D]
    -> float32 [N, P, Q, in_channels // 2].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv_transpose = layers.Conv2DTranspose(in_channels // 2, 2, strides=2)
        self.double_conv = DoubleConv(in_channels // 2)

    def call(self, x, across):
        x = self.conv_transpose(x)  # [N, 2 * H, 2 * W, in_channels // 2]
        x = ops.concatenate([across, x], axis=3)  # [N, P, Q, in_channels]
        return self.double_conv(x)


class UNet(keras.Model):
    """image: float32 [N, 1, 32, 32] -> scores: float32 [N, classes, 32, 32]."""

    def __init__(self, width: int = 8, classes: int = 4) -> None:
        super().__init__()
        self.double_conv1 = DoubleConv(width)
        self.double_conv2 = DoubleConv(2 * width)
        self.double_conv3 = DoubleConv(4 * width)
        self.up1 = Up(4 * width)
        self.up2 = Up(2 * width)
        self.conv = layers.Conv2D(classes, 1)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 32, 32, 1]
        x = self.double_conv1(x)  # [N, 32, 32, width]
        h = ops.max_pool(x, 2)  # [N, 16, 16, width]
        x1 = self.double_conv2(h)  # [N, 16, 16, 2 * width]
        h = ops.max_pool(x1, 2)  # [N, 8, 8, 2 * width]
        x2 = self.double_conv3(h)  # [N, 8, 8, 4 * width]
        x1 = self.up1(x2, x1)
        x = self.up2(x1, x)
        scores = self.conv(x)  # [N, 32, 32, classes]
        return ops.transpose(scores, (0, 3, 1, 2))

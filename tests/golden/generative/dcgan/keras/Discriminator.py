"""Discriminator: an image to the log-odds that it is real: the generator's mirror
image, without normalisation at the edges.

Printed by dlspec 0.1.0 from specs/generative/dcgan.dls.
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


class Down(layers.Layer):
    """Half the size.

    x: float32 [N, H, W, C] -> float32 [N, H // 2, W // 2, channels].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv = layers.Conv2D(channels, 4, strides=2, use_bias=False)
        self.norm = BatchNorm()

    def call(self, x):
        x = self.pad(x)  # [N, H + 2, W + 2, C]
        x = self.norm(self.conv(x))  # [N, H // 2, W // 2, channels]
        return ops.where(x > 0.0, x, x * 0.2)


class Discriminator(keras.Model):
    """image: float32 [N, 3, 64, 64] -> real: float32 [N, 1]."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(width, 4, strides=2, use_bias=False)
        self.down1 = Down(2 * width)
        self.down2 = Down(4 * width)
        self.down3 = Down(8 * width)
        self.conv2 = layers.Conv2D(1, 4, use_bias=False)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 64, 64, 3]
        x = self.pad(x)  # [N, 66, 66, 3]
        x = self.conv1(x)  # [N, 32, 32, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.down1(x)  # [N, 16, 16, 2 * width]
        x = self.down2(x)  # [N, 8, 8, 4 * width]
        x = self.down3(x)  # [N, 4, 4, 8 * width]
        x = self.conv2(x)  # [N, 1, 1, 1]
        return ops.reshape(x, (-1, 1))

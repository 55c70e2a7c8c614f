"""Generator: 100 numbers, standard normal, to an image of 4 -> 8 -> 16 -> 32 -> 64
pixels a side.

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


class Up(layers.Layer):
    """Twice the size: [N, C, H, W] to [N, channels, 2 H, 2 W].

    x: float32 [N, H, W, C] -> float32 [N, 2 * H, 2 * W, channels].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_transpose = layers.Conv2DTranspose(
            channels, 4, strides=2, use_bias=False
        )
        self.norm = BatchNorm()

    def call(self, x):
        x = self.conv_transpose(x)  # [N, 2 * H + 2, 2 * W + 2, channels]
        return ops.relu(self.norm(x[:, 1:-1, 1:-1]))


class Generator(keras.Model):
    """z: float32 [N, 100] -> image: float32 [N, 3, 64, 64]."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv_transpose1 = layers.Conv2DTranspose(8 * width, 4, use_bias=False)
        self.norm = BatchNorm()
        self.up1 = Up(4 * width)
        self.up2 = Up(2 * width)
        self.up3 = Up(width)
        self.conv_transpose2 = layers.Conv2DTranspose(3, 4, strides=2, use_bias=False)

    def call(self, z):
        x = ops.transpose(z[:, :, None, None], (0, 2, 3, 1))  # [N, 1, 1, 100]
        x = ops.relu(self.norm(self.conv_transpose1(x)))  # [N, 4, 4, 8 * width]
        x = self.up1(x)  # [N, 8, 8, 4 * width]
        x = self.up2(x)  # [N, 16, 16, 2 * width]
        x = self.up3(x)  # [N, 32, 32, width]
        x = self.conv_transpose2(x)  # [N, 66, 66, 3]
        image = ops.tanh(x[:, 1:-1, 1:-1])  # [N, 64, 64, 3]
        return ops.transpose(image, (0, 3, 1, 2))

"""Generator, Discriminator and Judge.

Printed by dlspec 0.1.0 from specs/training/dcgan.dls.
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


class Generator(layers.Layer):
    """Noise to an image of 1 channel: 1x1 -> 2x2 -> 4x4 -> 8x8.

    z: float32 [N, latent] -> image: float32 [N, 1, 8, 8].
    """

    def __init__(self, latent: int = 32, width: int = 32) -> None:
        super().__init__()
        self.latent = latent
        self.conv_transpose1 = layers.Conv2DTranspose(4 * width, 2, use_bias=False)
        self.norm1 = BatchNorm()
        self.conv_transpose2 = layers.Conv2DTranspose(
            2 * width, 4, strides=2, use_bias=False
        )
        self.norm2 = BatchNorm()
        self.conv_transpose3 = layers.Conv2DTranspose(1, 4, strides=2)

    def call(self, z):
        x = ops.reshape(z, (-1, 1, 1, self.latent))  # [N, 1, 1, latent]
        x = ops.relu(self.norm1(self.conv_transpose1(x)))  # [N, 2, 2, 4 * width]
        x = self.conv_transpose2(x)  # [N, 6, 6, 2 * width]
        x = ops.relu(self.norm2(x[:, 1:-1, 1:-1]))  # [N, 4, 4, 2 * width]
        x = self.conv_transpose3(x)  # [N, 10, 10, 1]
        image = ops.tanh(x[:, 1:-1, 1:-1])  # [N, 8, 8, 1]
        return ops.transpose(image, (0, 3, 1, 2))


class Discriminator(layers.Layer):
    """An image to the log-odds that it is real: 8x8 -> 4x4 -> 2x2 -> 1.

    image: float32 [N, 1, 8, 8] -> real: float32 [N, 1].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(width, 4, strides=2)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(2 * width, 4, strides=2, use_bias=False)
        self.norm = BatchNorm()
        self.conv3 = layers.Conv2D(1, 2)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 8, 8, 1]
        x = self.pad(x)  # [N, 10, 10, 1]
        x = self.conv1(x)  # [N, 4, 4, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.pad2(x)  # [N, 6, 6, width]
        x = self.norm(self.conv2(x))  # [N, 2, 2, 2 * width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.conv3(x)  # [N, 1, 1, 1]
        return ops.reshape(x, (-1, 1))


class Judge(keras.Model):
    """An image to its class.

    image: float32 [N, 1, 8, 8] -> logits: float32 [N, classes].
    """

    def __init__(self, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.width = width
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(width, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(2 * width, 3)
        self.linear = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 8, 8, 1]
        x = self.pad(x)  # [N, 10, 10, 1]
        x = ops.relu(self.conv1(x))  # [N, 8, 8, width]
        x = ops.max_pool(x, 2)  # [N, 4, 4, width]
        x = self.pad2(x)  # [N, 6, 6, width]
        x = ops.relu(self.conv2(x))  # [N, 4, 4, 2 * width]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 2 * width, 4, 4]
        x = ops.reshape(x, (-1, 32 * self.width))  # [N, 32 * width]
        return self.linear(x)

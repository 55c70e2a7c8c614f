"""Net.

Printed by dlspec 0.1.0 from specs/training/finetune.dls.
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


class Backbone(layers.Layer):
    """image: float32 [N, 64] -> float32 [N, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(32, 3, use_bias=False)
        self.norm1 = BatchNorm()
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(64, 3, use_bias=False)
        self.norm2 = BatchNorm()

    def call(self, image):
        x = ops.reshape(image, (-1, 8, 8, 1))  # [N, 8, 8, 1]
        x = self.pad(x)  # [N, 10, 10, 1]
        x = ops.relu(self.norm1(self.conv1(x)))  # [N, 8, 8, 32]
        x = ops.max_pool(x, 2)  # [N, 4, 4, 32]
        x = self.pad2(x)  # [N, 6, 6, 32]
        x = ops.relu(self.norm2(self.conv2(x)))  # [N, 4, 4, 64]
        x = ops.max_pool(x, 2)  # [N, 2, 2, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 2, 2]
        return ops.reshape(x, (-1, 256))


class Net(keras.Model):
    """image: float32 [N, 64] -> logits: float32 [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.head = layers.Dense(10)

    def call(self, image):
        x = self.backbone(image)  # [N, 256]
        return self.head(x)

"""Classifier.

Printed by dlspec 0.1.0 from specs/training/streamed_digits.dls.
"""

import keras
from keras import layers, ops


class Classifier(keras.Model):
    """image: float32 [N, 1, 8, 8] -> logits: float32 [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(32, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(64, 3)
        self.linear1 = layers.Dense(64)
        self.linear2 = layers.Dense(10)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 8, 8, 1]
        x = self.pad(x)  # [N, 10, 10, 1]
        x = ops.relu(self.conv1(x))  # [N, 8, 8, 32]
        x = ops.max_pool(x, 2)  # [N, 4, 4, 32]
        x = self.pad2(x)  # [N, 6, 6, 32]
        x = ops.relu(self.conv2(x))  # [N, 4, 4, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 4, 4]
        x = ops.reshape(x, (-1, 1024))  # [N, 1024]
        x = ops.relu(self.linear1(x))  # [N, 64]
        return self.linear2(x)

"""Classifier: Conv32 - pool - Conv64 - pool - Dense128 - Dense10.

Printed by dlspec 0.1.0 from specs/survey/cnn.dls.
"""

import keras
from keras import layers, ops


class Classifier(keras.Model):
    """image: float32 [N, 1, 8, 8] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(32, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(64, 3)
        self.linear1 = layers.Dense(128)
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 8, 8, 1]
        x = self.pad(x)  # [N, 10, 10, 1]
        x = ops.relu(self.conv1(x))  # [N, 8, 8, 32]
        x = ops.max_pool(x, 2)  # [N, 4, 4, 32]
        x = self.pad2(x)  # [N, 6, 6, 32]
        x = ops.relu(self.conv2(x))  # [N, 4, 4, 64]
        x = ops.max_pool(x, 2)  # [N, 2, 2, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 2, 2]
        x = ops.reshape(x, (-1, 256))  # [N, 256]
        x = ops.relu(self.linear1(x))  # [N, 128]
        return self.linear2(x)

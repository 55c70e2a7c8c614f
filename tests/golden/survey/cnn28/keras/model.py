"""Classifier: Conv32 - pool - Conv64 - pool - Dense128 - Dense10.

Printed by dlspec 0.1.0 from specs/survey/cnn28.dls.
"""

import keras
from keras import layers, ops


class Classifier(keras.Model):
    """image: float32 [N, 1, 28, 28] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(32, 3)
        self.conv2 = layers.Conv2D(64, 3)
        self.linear1 = layers.Dense(128)
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 28, 28, 1]
        x = ops.relu(self.conv1(x))  # [N, 26, 26, 32]
        x = ops.max_pool(x, 2)  # [N, 13, 13, 32]
        x = ops.relu(self.conv2(x))  # [N, 11, 11, 64]
        x = ops.max_pool(x, 2)  # [N, 5, 5, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 5, 5]
        x = ops.reshape(x, (-1, 1600))  # [N, 1600]
        x = ops.relu(self.linear1(x))  # [N, 128]
        return self.linear2(x)

"""ModernLeNet: Full connections, plain averages and tangents, and logits for a
softmax.

Printed by dlspec 0.1.0 from specs/vision/lenet.dls.
"""

import keras
from keras import layers, ops


class ModernLeNet(keras.Model):
    """image: float32 [N, 1, 32, 32] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(6, 5)
        self.conv2 = layers.Conv2D(16, 5)
        self.linear1 = layers.Dense(120)
        self.linear2 = layers.Dense(84)
        self.linear3 = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 32, 32, 1]
        x = ops.tanh(self.conv1(x))  # [N, 28, 28, 6]
        x = ops.average_pool(x, 2)  # [N, 14, 14, 6]
        x = ops.tanh(self.conv2(x))  # [N, 10, 10, 16]
        x = ops.average_pool(x, 2)  # [N, 5, 5, 16]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 16, 5, 5]
        x = ops.reshape(x, (-1, 400))  # [N, 400]
        x = ops.tanh(self.linear1(x))  # [N, 120]
        x = ops.tanh(self.linear2(x))  # [N, 84]
        return self.linear3(x)

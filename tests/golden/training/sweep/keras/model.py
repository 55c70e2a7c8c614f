"""Perceptron.

Printed by dlspec 0.1.0 from specs/training/sweep.dls.
"""

import keras
from keras import layers, ops


class Perceptron(keras.Model):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        x = ops.relu(self.linear1(image))  # [N, hidden]
        return self.linear2(x)

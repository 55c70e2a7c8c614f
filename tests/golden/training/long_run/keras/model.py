"""Classifier: 64-256-256-10: a fifth of the pixels and half of the hidden units are
left out of each step, as in the paper.

Printed by dlspec 0.1.0 from specs/training/long_run.dls.
"""

import keras
from keras import layers, ops


class Classifier(keras.Model):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 256, classes: int = 10) -> None:
        super().__init__()
        self.dropout1 = layers.Dropout(0.2)
        self.linear1 = layers.Dense(width)
        self.dropout2 = layers.Dropout(0.5)
        self.linear2 = layers.Dense(width)
        self.dropout3 = layers.Dropout(0.5)
        self.linear3 = layers.Dense(classes)

    def call(self, image):
        x = ops.relu(self.linear1(self.dropout1(image)))  # [N, width]
        x = ops.relu(self.linear2(self.dropout2(x)))
        return self.linear3(self.dropout3(x))

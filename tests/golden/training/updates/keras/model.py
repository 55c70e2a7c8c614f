"""Classifier.

Printed by dlspec 0.1.0 from specs/training/updates.dls.
"""

import keras
from keras import layers, ops


class Classifier(keras.Model):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = layers.Dense(hidden)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.linear2 = layers.Dense(hidden)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.linear3 = layers.Dense(classes)

    def call(self, image):
        x = ops.gelu(self.norm1(self.linear1(image)), approximate=False)  # [N, hidden]
        x = ops.gelu(self.norm2(self.linear2(x)), approximate=False)
        return self.linear3(x)

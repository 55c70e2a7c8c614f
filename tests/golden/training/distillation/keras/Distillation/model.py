"""Teacher and Student.

Printed by dlspec 0.1.0 from specs/training/distillation.dls.
"""

import keras
from keras import layers, ops


class Teacher(layers.Layer):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 256, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.dropout1 = layers.Dropout(0.3)
        self.linear2 = layers.Dense(width)
        self.dropout2 = layers.Dropout(0.3)
        self.linear3 = layers.Dense(classes)

    def call(self, image):
        x = self.dropout1(ops.relu(self.linear1(image)))  # [N, width]
        x = self.dropout2(ops.relu(self.linear2(x)))
        return self.linear3(x)


class Student(keras.Model):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        x = ops.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

"""Features, Classifier and Plain.

Printed by dlspec 0.1.0 from specs/training/dann.dls.
"""

import keras
from keras import layers, ops


class Features(layers.Layer):
    """point: float32 [N, 2] -> features: float32 [N, width]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)

    def call(self, point):
        x = ops.relu(self.linear1(point))  # [N, width]
        return ops.relu(self.linear2(x))


class Classifier(layers.Layer):
    """From features to the log-odds of a moon, or of a domain.

    features: float32 [N, width] -> odds: float32 [N, 1].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(1)

    def call(self, features):
        x = ops.relu(self.linear1(features))
        return self.linear2(x)


class Plain(keras.Model):
    """Both in one, for comparison.

    point: float32 [N, 2] -> odds: float32 [N, 1].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(width)
        self.linear4 = layers.Dense(1)

    def call(self, point):
        x = ops.relu(self.linear1(point))  # [N, width]
        x = ops.relu(self.linear2(x))
        x = ops.relu(self.linear3(x))
        return self.linear4(x)

"""Forecaster.

Printed by dlspec 0.1.0 from specs/training/sunspots.dls.
"""

import keras
from keras import layers, ops


class Forecaster(keras.Model):
    """SUNACTIVITY: float32 [N, 24] -> next: float32 [N, 1]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.lstm = layers.LSTM(width, return_sequences=True)
        self.linear = layers.Dense(1)

    def call(self, SUNACTIVITY):
        x = ops.expand_dims(SUNACTIVITY, axis=2)  # [N, 24, 1]
        states = self.lstm(x)  # [N, 24, width]
        x = states[:, 23]  # [N, width]
        return self.linear(x)

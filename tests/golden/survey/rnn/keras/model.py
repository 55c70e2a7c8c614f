"""RowReader: SimpleRNN(32, relu) - Dense10.

Printed by dlspec 0.1.0 from specs/survey/rnn.dls.
"""

import keras
from keras import layers


class RowReader(keras.Model):
    """image: float32 [N, 8, 8] -> logits: float32 [N, classes]."""

    def __init__(self, hidden: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.rnn = layers.SimpleRNN(hidden, activation="relu")
        self.linear = layers.Dense(classes)

    def call(self, image):
        x = self.rnn(image)  # [N, hidden]
        return self.linear(x)

"""SimpleRNN.

Printed by dlspec 0.1.0 from specs/sequence/simple_rnn.dls.
"""

import keras
from keras import layers


class SimpleRNN(keras.Model):
    """sequence: float32 [N, T, 28] -> logits: float32 [N, classes]."""

    def __init__(self, hidden: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.rnn = layers.SimpleRNN(hidden, activation="relu")
        self.linear = layers.Dense(classes)

    def call(self, sequence):
        x = self.rnn(sequence)  # [N, hidden]
        return self.linear(x)

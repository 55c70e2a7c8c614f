"""Decoder.

Printed by dlspec 0.1.0 from specs/multimodal/show_and_tell.dls.
"""

import keras
from keras import layers, ops


class Decoder(keras.Model):
    """image: float32 [N, 2048], caption: int64 [N, T]
    -> logits: float32 [N, T, words].
    """

    def __init__(
        self, words: int = 12000, width: int = 512, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.see = layers.Dense(width, use_bias=False)
        self.embed = layers.Embedding(words, width)
        self.dropout1 = layers.Dropout(dropout)
        self.lstm = layers.LSTM(width, return_sequences=True)
        self.dropout2 = layers.Dropout(dropout)
        self.linear = layers.Dense(words)

    def call(self, image, caption):
        x = self.see(image)  # [N, width]
        y = self.embed(caption)  # [N, T, width]
        x = ops.concatenate([x[:, None], y], axis=1)  # [N, T + 1, width]
        h = self.dropout2(self.lstm(self.dropout1(x)))
        x = h[:, 1:]  # [N, T, width]
        return self.linear(x)

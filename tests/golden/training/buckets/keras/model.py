"""Spotter.

Printed by dlspec 0.1.0 from specs/training/buckets.dls.
"""

import keras
from keras import layers, ops


def backwards(x, lengths):
    """Each sequence backwards, its padding where it was. x: [N, T, D].

    x: float32 [N, T, D], lengths: int64 [N] -> float32 [N, T, D].
    """
    N, T, D = ops.shape(x)
    place = ops.arange(T, dtype="int64")  # [T]
    h = ops.subtract(lengths[:, None], 1)  # [N, 1]
    y = ops.less(place, lengths[:, None])  # [N, T]
    h = ops.subtract(h, place)  # [N, T]
    from_ = ops.where(y, h, place)
    h = ops.broadcast_to(from_[:, :, None], (N, T, D))  # [N, T, D]
    return ops.take_along_axis(x, h, axis=1)


class MaskedBLSTM(layers.Layer):
    """Two LSTMs, one for each direction, that never see padding before speech: [N,
    T, 2 hidden].

    x: float32 [N, T, D], lengths: int64 [N] -> float32 [N, T, 2 * hidden].
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.lstm1 = layers.LSTM(hidden, return_sequences=True)
        self.lstm2 = layers.LSTM(hidden, return_sequences=True)

    def call(self, x, lengths):
        ahead = self.lstm1(x)  # [N, T, hidden]
        x = backwards(x, lengths)
        behind = self.lstm2(x)  # [N, T, hidden]
        x = backwards(behind, lengths)
        return ops.concatenate([ahead, x], axis=2)


class Spotter(keras.Model):
    """speech: float32 [N, T, 12], frames: int64 [N] -> logits: float32 [N, 10]."""

    def __init__(self, hidden: int = 48) -> None:
        super().__init__()
        self.masked_blstm = MaskedBLSTM(hidden)
        self.linear = layers.Dense(10)

    def call(self, speech, frames):
        T = ops.shape(speech)[1]
        heard = self.masked_blstm(speech, frames)  # [N, T, 2 * hidden]
        speaking = ops.less(ops.arange(T, dtype="int64"), frames[:, None])  # [N, T]
        x = ops.where(speaking[:, :, None], heard, -1.0)
        loudest = ops.max(x, axis=1)  # [N, 2 * hidden]
        return self.linear(loudest)

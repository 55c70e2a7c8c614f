"""Listener.

Printed by dlspec 0.1.0 from specs/training/ctc.dls.
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


def greedy_decode(scores):
    """Greedy decoding: the likeliest symbol of each step, and whether it counts:
    repeats and blanks do not.

    scores: float32 [N, T, C] -> symbol: int64 [N, T], counts: bool [N, T].
    """
    T = ops.shape(scores)[1]
    symbol = ops.cast(ops.argmax(scores, axis=2), "int64")  # [N, T]
    x = ops.equal(symbol[:, :1], -1)  # [N, 1]
    h = ops.equal(symbol[:, 1:], symbol[:, : T - 1])  # [N, T - 1]
    repeated = ops.concatenate([x, h], axis=1)  # [N, T]
    x = ops.not_equal(symbol, 0)
    counts = ops.logical_and(x, ops.logical_not(repeated))
    return symbol, counts


def within(lengths, T: int):
    """Which of the T steps of each sequence are no padding: [N, T], for lengths [N].

    lengths: int64 [N] -> bool [N, T].
    """
    return ops.less(ops.arange(T, dtype="int64"), lengths[:, None])


def transcript(scores, steps, most: int):
    """What greedy decoding reads in each sequence, then zeros, class 0 being the
    blank: [N, most]. scores: [N, T, C].

    scores: float32 [N, T, C], steps: int64 [N] -> int64 [N, most].
    """
    T = ops.shape(scores)[1]
    symbol, counts = greedy_decode(scores)
    x = within(steps, T=T)  # [N, T]
    read = ops.logical_and(counts, x)
    x = ops.cast(read, "int64")
    place = ops.subtract(ops.cumsum(x, axis=1), 1)
    x = ops.equal(place[:, :, None], ops.arange(most, dtype="int64"))
    here = ops.logical_and(read[:, :, None], x)
    x = ops.where(here, symbol[:, :, None], 0)
    return ops.sum(x, axis=1)


class Listener(keras.Model):
    """speech: float32 [N, 56, 12], frames: int64 [N]
    -> logits: float32 [N, 56, digits + 1], heard: int64 [N, 4].
    """

    def __init__(self, hidden: int = 48, digits: int = 10) -> None:
        super().__init__()
        self.masked_blstm = MaskedBLSTM(hidden)
        self.linear = layers.Dense(digits + 1)

    def call(self, speech, frames):
        x = self.masked_blstm(speech, frames)  # [N, 56, 2 * hidden]
        logits = self.linear(x)  # [N, 56, digits + 1]
        heard = ops.subtract(transcript(logits, frames, most=4), 1)  # [N, 4]
        return logits, heard

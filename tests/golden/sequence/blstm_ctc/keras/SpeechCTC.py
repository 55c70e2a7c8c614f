"""SpeechCTC.

Printed by dlspec 0.1.0 from specs/sequence/blstm_ctc.dls.
"""

import keras
from keras import layers, ops


class Recurrent(layers.Layer):
    """Stacked, perhaps bidirectional recurrent layers that give all their final states.

    Returns the sequence, and each state as [layers * directions, N, hidden_size].
    """

    def __init__(
        self,
        kind,
        hidden_size: int,
        num_layers: int = 1,
        bidirectional: bool = False,
        **options,
    ) -> None:
        super().__init__()
        options.update(return_sequences=True, return_state=True)
        ways = ["", "_reverse"] if bidirectional else [""]
        self.directions, self.order = len(ways), []
        for layer in range(num_layers):
            for way in ways:
                backwards = way == "_reverse"
                self.order.append(f"l{layer}{way}")
                rnn = kind(hidden_size, go_backwards=backwards, **options)
                setattr(self, f"l{layer}{way}", rnn)

    def call(self, x, h0=None, c0=None):
        initial = [state for state in (h0, c0) if state is not None]
        finals, outputs = [], []
        for i, name in enumerate(self.order):
            start = [state[i] for state in initial] or None
            y, *states = getattr(self, name)(x, initial_state=start)
            backwards = name.endswith("_reverse")
            outputs.append(ops.flip(y, axis=1) if backwards else y)
            finals.append(states)
            if len(outputs) == self.directions:
                x, outputs = ops.concatenate(outputs, axis=-1), []
        return x, *(ops.stack(states) for states in zip(*finals, strict=True))

    def last(self, x, h0=None, c0=None):
        """The final hidden state of the last layer, both directions side by side."""
        _, h, *_ = self(x, h0, c0)
        return ops.concatenate(ops.unstack(h)[-self.directions :], axis=-1)


class PeepholeLSTMCell(layers.Layer):
    """An LSTM's step, with peepholes (Gers and Schmidhuber 2000) or a second bias."""

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        recurrent_bias: bool = False,
        peepholes: bool = False,
    ) -> None:
        super().__init__()
        self.units, self.state_size = units, [units, units]
        self.use_bias, self.has_recurrent_bias = use_bias, use_bias and recurrent_bias
        self.has_peepholes = peepholes

    def build(self, shape) -> None:
        n = self.units
        self.kernel = self.add_weight(shape=(shape[-1], 4 * n), name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(n, 4 * n), name="recurrent_kernel"
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(4 * n,), initializer="zeros", name="bias"
            )
        if self.has_recurrent_bias:
            self.recurrent_bias = self.add_weight(
                shape=(4 * n,), initializer="zeros", name="recurrent_bias"
            )
        if self.has_peepholes:
            self.peephole = self.add_weight(
                shape=(3 * n,), initializer="zeros", name="peephole"
            )

    def call(self, x, states):
        h, c = states
        gates = ops.matmul(x, self.kernel) + ops.matmul(h, self.recurrent_kernel)
        if self.use_bias:
            gates = gates + self.bias
        if self.has_recurrent_bias:
            gates = gates + self.recurrent_bias
        i, f, g, o = ops.split(gates, 4, axis=1)
        to_i, to_f, to_o = (
            ops.split(self.peephole, 3) if self.has_peepholes else (0.0, 0.0, 0.0)
        )
        kept = ops.sigmoid(f + to_f * c) * c
        c = kept + ops.sigmoid(i + to_i * c) * ops.tanh(g)
        h = ops.sigmoid(o + to_o * c) * ops.tanh(c)
        return h, [h, c]


class PeepholeLSTM(layers.RNN):
    """The cell, over a sequence."""

    def __init__(
        self,
        units: int,
        use_bias: bool = True,
        recurrent_bias: bool = False,
        peepholes: bool = False,
        **options,
    ) -> None:
        cell = PeepholeLSTMCell(units, use_bias, recurrent_bias, peepholes)
        super().__init__(cell, **options)


def greedy_decode(scores):
    """Greedy decoding: the likeliest symbol of each step, and whether it counts:
    repeats and blanks do not.

    scores: float32 [N, T, C] -> symbol: int64 [N, T], counts: bool [N, T].
    """
    symbol = ops.cast(ops.argmax(scores, axis=2), "int64")  # [N, T]
    x = ops.equal(symbol[:, :1], -1)  # [N, 1]
    h = ops.equal(symbol[:, 1:], symbol[:, :-1])  # [N, T - 1]
    repeated = ops.concatenate([x, h], axis=1)  # [N, T]
    x = ops.not_equal(symbol, 0)
    counts = ops.logical_and(x, ops.logical_not(repeated))
    return symbol, counts


class SpeechCTC(keras.Model):
    """speech: float32 [N, T, 123]
    -> scores: float32 [N, T, symbols], symbol: int64 [N, T], counts: bool [N, T].
    """

    def __init__(self, hidden: int = 250, layers2: int = 3, symbols: int = 62) -> None:
        super().__init__()
        self.lstm = Recurrent(
            PeepholeLSTM,
            hidden,
            num_layers=layers2,
            bidirectional=True,
            use_bias=True,
            recurrent_bias=False,
            peepholes=True,
        )
        self.linear = layers.Dense(symbols)

    def call(self, speech):
        x = self.lstm(speech)[0]  # [N, T, 2 * hidden]
        scores = ops.log_softmax(self.linear(x))  # [N, T, symbols]
        symbol, counts = greedy_decode(scores)
        return scores, symbol, counts

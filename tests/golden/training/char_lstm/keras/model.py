"""CharLSTM.

Printed by dlspec 0.1.0 from specs/training/char_lstm.dls.
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


class CharLSTM(keras.Model):
    """text: int64 [N, T] -> logits: float32 [N, T, symbols]."""

    def __init__(self, symbols: int = 104, width: int = 128) -> None:
        super().__init__()
        self.embedding = layers.Embedding(symbols, width)
        self.lstm = Recurrent(
            layers.LSTM, width, num_layers=2, bidirectional=False, use_bias=True
        )
        self.linear = layers.Dense(symbols)

    def call(self, text):
        x = self.embedding(text)  # [N, T, width]
        x = self.lstm(x)[0]
        return self.linear(x)

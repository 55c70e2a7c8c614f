from keras import layers, ops


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

"""Recurrent layers over [N, T, D]."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from dlspec.ops._recurrent import Kit, Own, State, _Recurrent


class RNN(_Recurrent):
    """h' = tanh(W_ih x + b + W_hh h), or relu in place of tanh (Elman 1990).

    One bias, as the sum of PyTorch's two. Operands: x [N, T, D], and an initial state h0 if wanted.
    output = "sequence" gives every h, [N, T, H * directions]; "last" the last layer's final h, of both
    directions side by side, [N, H * directions]; "all" the sequence and every final h,
    [layers * directions, N, H] (layer by layer, forward before backward), which is the shape of h0 too.
    Weights are drawn as PyTorch draws them, uniform within 1 / sqrt(hidden_size).
    """

    examples: ClassVar = [
        ({"hidden_size": 4}, ("f32[2, 5, 3]",)),
        ({"hidden_size": 4, "activation": "relu", "output": "last"}, ("f32[2, 5, 3]",)),
        ({"hidden_size": 3, "layers": 2, "bidirectional": True, "output": "all"}, ("f32[2, 4, 3]",)),
        ({"hidden_size": 4, "bias": False, "output": "all"}, ("f32[2, 5, 3]", "f32[1, 2, 4]")),
        ({"hidden_size": 4, "output": "last", "bidirectional": True}, ("f32[2, 1, 3]",)),
    ]

    activation: Literal["tanh", "relu"] = "tanh"

    def step(self, k: Kit, projected: Any, state: State, own: Own) -> State:
        return (k.functions[self.activation](projected + state[0] @ own.recurrent),)


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates).

    i, f, g, o = the four quarters of W_ih x + b + W_hh h; c' = sigmoid(f) c + sigmoid(i) tanh(g);
    h' = sigmoid(o) tanh(c'). One bias, as the sum of PyTorch's two; with `recurrent_bias` both of them.
    With `peepholes` the gates see the cell, element by element (Gers and Schmidhuber 2000): i and f + p c,
    o + p c', where p is stored i, f, o.
    Operands: x [N, T, D], and initial states h0 and c0 if wanted. Shapes, output and weights are as for
    `RNN`; output = "all" gives the final c, too.
    """

    operands: ClassVar = ("x", "h0?", "c0?")
    gates: ClassVar = 4
    examples: ClassVar = [
        ({"hidden_size": 4}, ("f32[2, 5, 3]",)),
        ({"hidden_size": 4, "output": "last", "bias": False}, ("f32[2, 5, 3]",)),
        ({"hidden_size": 3, "layers": 2, "bidirectional": True, "output": "all"}, ("f32[2, 4, 3]",)),
        ({"hidden_size": 4, "output": "all"}, ("f32[2, 5, 3]", "f32[1, 2, 4]", "f32[1, 2, 4]")),
        ({"hidden_size": 3, "layers": 2, "output": "last", "bidirectional": True}, ("f32[2, 4, 3]",)),
        ({"hidden_size": 4, "recurrent_bias": True}, ("f32[2, 5, 3]",)),
        (
            {"hidden_size": 3, "layers": 2, "bidirectional": True, "output": "last", "recurrent_bias": True},
            ("f32[2, 4, 3]",),
        ),
        ({"hidden_size": 4, "peepholes": True}, ("f32[2, 5, 3]",)),
        (
            {"hidden_size": 3, "layers": 2, "bidirectional": True, "output": "all", "peepholes": True},
            ("f32[2, 4, 3]", "f32[4, 2, 3]", "f32[4, 2, 3]"),
        ),
        (
            {"hidden_size": 4, "peepholes": True, "recurrent_bias": True, "output": "last"},
            ("f32[2, 4, 3]",),
        ),
        ({"hidden_size": 4, "peepholes": True, "bias": False, "output": "last"}, ("f32[2, 4, 3]",)),
        ({"hidden_size": 3, "output": "last", "bidirectional": True, "peepholes": True}, ("f32[2, 4, 3]",)),
    ]

    peepholes: bool = False
    recurrent_bias: bool = False

    @property
    def biases(self) -> tuple[str, ...]:
        return ("bias_ih", "bias_hh") if self.bias and self.recurrent_bias else super().biases

    def _shapes(self, width: int) -> dict[str, tuple[int, ...]]:
        shapes = super()._shapes(width)
        return {**shapes, "peephole": (3 * self.hidden_size,)} if self.peepholes else shapes

    def step(self, k: Kit, projected: Any, state: State, own: Own) -> State:
        sigmoid, tanh = k.functions["sigmoid"], k.functions["tanh"]
        h, c = state
        gates = projected + h @ own.recurrent
        i, f, g, o = k.split(gates if own.bias is None else gates + own.bias, 4)
        if own.peephole is None:
            c = sigmoid(f) * c + sigmoid(i) * tanh(g)
            return sigmoid(o) * tanh(c), c
        to_i, to_f, to_o = k.split(own.peephole, 3)
        c = sigmoid(f + to_f * c) * c + sigmoid(i + to_i * c) * tanh(g)
        return sigmoid(o + to_o * c) * tanh(c), c


class GRU(_Recurrent):
    """Gated recurrent unit (Cho et al. 2014), with the reset gate after the product, as PyTorch and cuDNN do.

    r = sigmoid(W_r x + b_r + U_r h + d_r), z likewise; n = tanh(W_n x + b_n + r * (U_n h + d_n));
    h' = (1 - z) n + z h. W and b are weight_ih and bias_ih, U and d weight_hh and bias_hh, stored r, z, n.
    Operands: x [N, T, D], and an initial state h0 if wanted. Shapes, output and weights are as for `RNN`.
    """

    gates: ClassVar = 3
    examples: ClassVar = [
        ({"hidden_size": 4}, ("f32[2, 5, 3]",)),
        ({"hidden_size": 4, "output": "last", "bias": False}, ("f32[2, 5, 3]",)),
        ({"hidden_size": 3, "layers": 2, "bidirectional": True, "output": "all"}, ("f32[2, 4, 3]",)),
        ({"hidden_size": 4, "output": "all"}, ("f32[2, 5, 3]", "f32[1, 2, 4]")),
        ({"hidden_size": 3, "bidirectional": True, "output": "last"}, ("f32[2, 4, 3]",)),
    ]

    @property
    def biases(self) -> tuple[str, ...]:
        return ("bias_ih", "bias_hh") if self.bias else ()

    def step(self, k: Kit, projected: Any, state: State, own: Own) -> State:
        sigmoid, tanh = k.functions["sigmoid"], k.functions["tanh"]
        (h,) = state
        hidden = h @ own.recurrent if own.bias is None else h @ own.recurrent + own.bias
        (r, z, n), (hr, hz, hn) = k.split(projected, 3), k.split(hidden, 3)
        update = sigmoid(z + hz)
        return ((1 - update) * tanh(n + sigmoid(r + hr) * hn) + update * h,)

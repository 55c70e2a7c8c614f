"""Recurrent layers against torch."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator

NAMES = ["RNN", "LSTM", "GRU"]
CASES = [
    (name, i)
    for name in NAMES
    for i, (arguments, _) in enumerate(operator(name).examples)
    if not arguments.get("peepholes")  # torch has none; ONNX Runtime has, and the laws compare with it
]


def torch_layer(op, input_size, weights):
    """torch's layer with our weights; what it has more is zero."""
    import torch

    more = {"nonlinearity": op.activation} if op.spec_name() == "RNN" else {}
    layer = getattr(torch.nn, op.spec_name())(
        input_size, op.hidden_size, op.layers, bias=op.bias, batch_first=True,
        bidirectional=op.bidirectional, dtype=torch.float64, **more,
    )  # fmt: skip
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            ours = weights.get(name, weights.get(name.replace("bias_ih", "bias")))
            parameter.copy_(torch.zeros(parameter.shape) if ours is None else torch.tensor(ours))
    return layer


@pytest.mark.parametrize(("name", "index"), CASES)
def test_examples_are_what_torch_computes(drawn, name, index):
    import torch

    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    x, *initial = (torch.tensor(a) for a in case.operands)
    state = tuple(initial) if name == "LSTM" else (initial[0] if initial else None)
    sequence, final = torch_layer(case.op, x.shape[-1], case.weights)(
        x, state or None if name == "LSTM" else state
    )
    finals = final if isinstance(final, tuple) else (final,)
    last = torch.cat(list(finals[0][-case.op.directions :]), dim=-1)
    expected = {"sequence": (sequence,), "last": (last,), "all": (sequence, *finals)}[case.op.output]
    for ours, theirs in zip(case.reference(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=1e-12)
    for ours, theirs in zip(case.decomposed(), case.reference(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_torch_but_for_the_second_bias(name):
    import torch

    op = operator(name)(hidden_size=4, layers=2, bidirectional=True)
    specs = {w.name: w.type.shape for w in op.weights(parse_type("f32[N, T, 3]"))}
    layer = getattr(torch.nn, name)(3, 4, 2, bidirectional=True)
    theirs = {k: tuple(v.shape) for k, v in layer.named_parameters()}
    if name != "GRU":
        theirs = {k.replace("bias_ih", "bias"): v for k, v in theirs.items() if "bias_hh" not in k}
    assert specs == theirs


def test_the_length_may_be_a_symbol():
    x = parse_type("f32[N, T, 3]")
    lstm = operator("LSTM")(hidden_size=4, bidirectional=True, output="all")
    assert [str(t) for t in lstm.infer(x)] == ["f32[N, T, 8]", "f32[2, N, 4]", "f32[2, N, 4]"]
    assert str(lstm.macs(x)) == "224 * N * T"
    assert str(operator("GRU")(hidden_size=4, output="last").infer(x)) == "f32[N, 4]"


@pytest.mark.parametrize(
    ("types", "code"),
    [
        (("f32[N, 3]",), "DLS0302"),
        (("f32[N, T, D]",), "DLS0305"),
        (("i64[N, T, 3]",), "DLS0304"),
        (("f32[N, T, 3]", "f32[N, 4]"), "DLS0302"),
        (("f32[N, T, 3]", "f32[2, N, 4]"), "DLS0301"),
    ],
)
def test_what_is_refused(types, code):
    with pytest.raises(OpError) as caught:
        operator("RNN")(hidden_size=4).infer(*map(parse_type, types))
    assert caught.value.code == code

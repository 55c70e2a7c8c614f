"""Normalisation over batches, channels and groups, against torch."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator

CASES = [
    (name, i)
    for name in ("BatchNorm", "InstanceNorm", "GroupNorm", "LayerNorm", "RMSNorm")
    for i in range(len(operator(name).examples))
]


def torch_norm(op, x, w, training=False):
    """The same with torch's functions."""
    import torch.nn.functional as F

    weight, bias, shape = w.get("weight"), w.get("bias"), tuple(x.shape)
    match op.spec_name():
        case "BatchNorm":
            return F.batch_norm(
                x, w["running_mean"], w["running_var"], weight, bias, training, op.momentum, op.eps
            )
        case "InstanceNorm":
            return F.instance_norm(x, weight=weight, bias=bias, eps=op.eps)
        case "GroupNorm":
            return F.group_norm(x, op.groups, weight, bias, op.eps)
        case "LayerNorm":
            return F.layer_norm(x, shape[-op.axes :], weight, bias, op.eps)
        case "RMSNorm":
            return F.rms_norm(x, shape[-1:], weight, op.eps)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_examples_are_what_torch_computes(drawn, name, index):
    import torch

    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    (result,) = case.reference()
    weights = {k: torch.tensor(v) for k, v in case.weights.items()}
    expected = torch_norm(case.op, torch.tensor(case.operands[0]), weights)
    np.testing.assert_allclose(result, expected.numpy(), atol=1e-10)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_decompositions_mean_the_same(drawn, name, index):
    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    simpler = case.decomposed()
    if simpler is not None:
        # constants are drawn up in float32 by the evaluator
        np.testing.assert_allclose(simpler[0], case.reference()[0], atol=1e-6)


@pytest.mark.parametrize("index", range(len(operator("BatchNorm").examples)))
def test_batch_norm_in_training_moves_its_statistics_as_torch_does(drawn, index):
    import torch

    arguments, types = operator("BatchNorm").examples[index]
    case = drawn(operator("BatchNorm")(**arguments), *types)
    results = case.reference(training=True)
    weights = {k: torch.tensor(v) for k, v in case.weights.items()}
    y = torch_norm(case.op, torch.tensor(case.operands[0]), weights, training=True)
    for ours, theirs in zip(results, (y, weights["running_mean"], weights["running_var"]), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-10)


def test_weights():
    x = parse_type("f32[N, 3, 8, 8]")
    names = {w.name: (w.init.kind, w.trainable) for w in operator("BatchNorm")().weights(x)}
    assert names == {
        "weight": ("ones", True),
        "bias": ("zeros", True),
        "running_mean": ("zeros", False),
        "running_var": ("ones", False),
    }
    assert [w.type.shape for w in operator("LayerNorm")(axes=2).weights(x)] == [(8, 8), (8, 8)]
    assert operator("InstanceNorm")().weights(x) == ()


@pytest.mark.parametrize(
    ("name", "arguments", "x", "code"),
    [
        ("BatchNorm", {}, "f32[N]", "DLS0302"),
        ("BatchNorm", {}, "f32[N, C]", "DLS0305"),
        ("BatchNorm", {}, "i64[N, 3]", "DLS0304"),
        ("InstanceNorm", {}, "f32[N, 3]", "DLS0302"),
        ("GroupNorm", {"groups": 2}, "f32[N, 3]", "DLS0306"),
        ("LayerNorm", {}, "f32[N, T]", "DLS0305"),
        ("LayerNorm", {"axes": 3}, "f32[N, 4]", "DLS0302"),
        ("RMSNorm", {}, "f32[]", "DLS0302"),
    ],
)
def test_what_is_refused(name, arguments, x, code):
    with pytest.raises(OpError) as caught:
        operator(name)(**arguments).infer(parse_type(x))
    assert caught.value.code == code

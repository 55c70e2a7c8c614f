"""Adaptive and global pooling against torch."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator

ADAPTIVE = [f"Adaptive{kind}Pool{rank}d" for kind in ("Avg", "Max") for rank in (1, 2)]
GLOBAL = ["global_avg_pool", "global_max_pool"]
CASES = [(name, i) for name in ADAPTIVE + GLOBAL for i in range(len(operator(name).examples))]


def torch_pool(op, x):
    """The same with torch."""
    import torch

    x = torch.tensor(x)
    match op.spec_name():
        case "global_avg_pool":
            return x.flatten(2).mean(2)
        case "global_max_pool":
            return x.flatten(2).amax(2)
        case name:
            return getattr(torch.nn, name)(op.output_size)(x)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_examples_are_what_torch_computes(drawn, name, index):
    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    (result,) = case.reference()
    np.testing.assert_allclose(result, torch_pool(case.op, *case.operands).numpy(), atol=1e-12)
    (simpler,) = case.decomposed()
    np.testing.assert_allclose(simpler, result, atol=1e-6)


def test_to_one_takes_any_length():
    pool = operator("AdaptiveAvgPool1d")(output_size=1)
    assert str(pool.infer(parse_type("f32[N, 3, T]"))) == "f32[N, 3, 1]"


@pytest.mark.parametrize(
    ("name", "arguments", "x", "code"),
    [
        ("AdaptiveAvgPool1d", {"output_size": 2}, "f32[N, 3, T]", "DLS0305"),
        ("AdaptiveAvgPool2d", {"output_size": 2}, "f32[N, 3, T]", "DLS0302"),
        ("AdaptiveMaxPool2d", {"output_size": [1, 2, 3]}, "f32[N, 3, 4, 4]", "DLS0309"),
        ("global_avg_pool", {}, "f32[N, 3]", "DLS0302"),
        ("global_avg_pool", {}, "i64[N, 3, 4]", "DLS0304"),
    ],
)
def test_what_is_refused(name, arguments, x, code):
    with pytest.raises(OpError) as caught:
        operator(name)(**arguments).infer(parse_type(x))
    assert caught.value.code == code

"""Pooling against torch, its decompositions, and what it refuses."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator

NAMES = [f"{kind}Pool{rank}d" for kind in ("Max", "Avg") for rank in (1, 2, 3)]
CASES = [(name, i) for name in NAMES for i in range(len(operator(name).examples))]


def torch_pool(op, facts, x):
    """The same with torch's own layer."""
    import torch

    fields = {"padding": facts["symmetric_padding"], "stride": op.stride, "ceil_mode": op.ceil_mode}
    fields |= {f: getattr(op, f) for f in ("dilation", "count_include_pad") if hasattr(op, f)}
    return getattr(torch.nn, op.spec_name())(op.kernel_size, **fields)(torch.tensor(x)).numpy()


@pytest.mark.parametrize(("name", "index"), CASES)
def test_examples_are_what_torch_computes(drawn, name, index):
    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    (result,) = case.reference()
    if case.facts["torch_native"]:
        np.testing.assert_allclose(result, torch_pool(case.op, case.facts, *case.operands), atol=1e-12)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_decompositions_mean_the_same(drawn, name, index):
    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    simpler = case.decomposed()
    if simpler is not None:
        # constants are drawn up in float32 by the evaluator
        np.testing.assert_allclose(simpler[0], case.reference()[0], atol=1e-6)


GEOMETRIES = [
    (n, k, s, p)
    for n, k, s, p in product((5, 6, 7, 8), (1, 2, 3), (1, 2, 3, 4), (0, 1))
    if p <= k // 2
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "more"), [("MaxPool1d", {}), ("AvgPool1d", {}), ("AvgPool1d", {"count_include_pad": False})]
)
def test_ceil_mode_is_that_of_torch(drawn, name, more):
    for n, k, s, p in GEOMETRIES:
        pool = operator(name)(kernel_size=k, stride=s, padding=p, ceil_mode=True, **more)
        case = drawn(pool, f"f32[1, 1, {n}]")
        (result,) = case.reference()
        expected = torch_pool(case.op, case.facts, *case.operands)
        np.testing.assert_allclose(result, expected, atol=1e-12, err_msg=str((n, k, s, p)))


def test_same_on_one_side_only_is_left_to_a_pad():
    pool = operator("AvgPool1d")(kernel_size=2, stride=1, padding="same")
    facts = pool.facts(parse_type("f32[N, 3, 8]"))
    assert facts["extent"] == ((0, 1),)
    assert not facts["torch_native"]
    assert facts["uniform_divisor"]


def test_ceil_mode_stays_only_where_it_matters():
    pool = operator("MaxPool2d")(kernel_size=2, ceil_mode=True)
    assert not pool.resolve(parse_type("f32[N, 3, 8, 8]")).ceil_mode
    assert pool.resolve(parse_type("f32[N, 3, 8, 7]")).ceil_mode


def test_symbolic_lengths():
    pool = operator("MaxPool1d")(kernel_size=2)
    assert str(pool.infer(parse_type("f32[N, 3, T]"))) == "f32[N, 3, (T // 2)]"
    up = operator("MaxPool1d")(kernel_size=2, ceil_mode=True)
    assert str(up.infer(parse_type("f32[N, 3, T]"))) == "f32[N, 3, ((T + 1) // 2)]"
    assert up.facts(parse_type("f32[N, 3, T]"))["extent"] == ((0, 1),)


@pytest.mark.parametrize(
    ("name", "arguments", "x", "code", "text"),
    [
        ("MaxPool2d", {}, "f32[N, 3, 8]", "DLS0302", "4 axes"),
        ("MaxPool2d", {}, "i64[N, 3, 8, 8]", "DLS0304", "floating-point"),
        ("MaxPool2d", {}, "f32[N, 3, 8, 1]", "DLS0308", "window of 2 is larger than axis 3"),
        ("MaxPool1d", {"dilation": 4}, "f32[N, 3, 4]", "DLS0308", "window of 5"),
        ("AvgPool1d", {"padding": 2}, "f32[N, 3, 4]", "DLS0309", "only padding"),
        ("AvgPool1d", {"stride": [1, 1]}, "f32[N, 3, 4]", "DLS0309", "stride has 2 numbers"),
        ("AvgPool1d", {"stride": 3, "ceil_mode": True}, "f32[N, 3, T]", "DLS0305", "known size on axis 2"),
    ],
)
def test_what_is_refused(name, arguments, x, code, text):
    op = operator(name)(**{"kernel_size": 2, **arguments})
    with pytest.raises(OpError) as caught:
        op.resolve(parse_type(x)).infer(parse_type(x))
    assert caught.value.code == code
    assert text in caught.value.message

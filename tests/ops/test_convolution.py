"""Convolutions against torch, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator

PLAIN = ["Conv1d", "Conv2d", "Conv3d"]
TRANSPOSED = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]
CASES = [(name, i) for name in PLAIN + TRANSPOSED for i in range(len(operator(name).examples))]


def torch_conv(op, x, weight, bias=None):
    """The same with torch, padding by hand."""
    import torch
    import torch.nn.functional as F

    x, weight = torch.tensor(x), torch.tensor(weight)
    bias = None if bias is None else torch.tensor(bias)
    flat = [n for pair in reversed(op.padding) for n in pair]
    rank = f"{op.spatial}d"
    if "Transpose" not in op.spec_name():
        conv = getattr(F, f"conv{rank}")
        y = conv(F.pad(x, flat), weight, bias, op.stride, 0, op.dilation, op.groups)
    else:
        conv = getattr(F, f"conv_transpose{rank}")
        y = conv(x, weight, bias, op.stride, 0, op.output_padding, op.groups, op.dilation)
        y = F.pad(y, [-n for n in flat])
    return y.numpy()


@pytest.mark.parametrize(("name", "index"), CASES)
def test_examples_are_what_torch_computes(drawn, name, index):
    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    (result,) = case.reference()
    np.testing.assert_allclose(result, torch_conv(case.op, *case.operands, **case.weights), atol=1e-12)


@pytest.mark.parametrize("name", PLAIN + TRANSPOSED)
def test_weights_are_shaped_and_drawn_as_in_torch(name):
    import torch

    cls = operator(name)
    x = parse_type(f"f32[2, 6, {', '.join('4' * cls.spatial)}]")
    weight, bias = cls(out_channels=4, kernel_size=2, groups=2).weights(x)
    layer = getattr(torch.nn, name)(6, 4, 2, groups=2)
    assert weight.type.shape == tuple(layer.weight.shape)
    assert bias.type.shape == tuple(layer.bias.shape)
    fan_in, fan_out = torch.nn.init._calculate_fan_in_and_fan_out(layer.weight)
    assert (weight.fan_in, weight.fan_out) == (fan_in, fan_out)
    assert weight.init == bias.init
    assert weight.init.args == pytest.approx((-(fan_in**-0.5), fan_in**-0.5))


def test_same_is_the_smallest_padding_with_the_larger_half_after():
    conv = operator("Conv2d")(out_channels=1, kernel_size=[3, 4], stride=2, padding="same")
    x = parse_type("f32[N, 1, 6, 7]")
    assert conv.resolve(x).padding == ((0, 1), (1, 2))
    assert str(conv.infer(x)) == "f32[N, 1, 3, 4]"


def test_symbolic_lengths():
    conv = operator("Conv1d")(out_channels=8, kernel_size=3, padding="same")
    assert str(conv.infer(parse_type("f32[N, 4, T]"))) == "f32[N, 8, T]"
    strided = operator("Conv1d")(out_channels=8, kernel_size=2, stride=2)
    assert str(strided.infer(parse_type("f32[N, 4, 2 * T]"))) == "f32[N, 8, T]"
    assert str(strided.macs(parse_type("f32[N, 4, 2 * T]"))) == "64 * N * T"
    up = operator("ConvTranspose1d")(out_channels=8, kernel_size=4, stride=2, padding=1)
    assert str(up.infer(parse_type("f32[N, 4, T]"))) == "f32[N, 8, 2 * T]"


def test_facts():
    conv = operator("Conv2d")(
        out_channels=8, kernel_size=3, groups=4, stride=2, dilation=[1, 2], padding="same"
    )
    facts = conv.facts(parse_type("f32[N, 4, 8, 8]"))
    assert facts == {
        "in_channels": 4,
        "spatial_rank": 2,
        "depthwise": True,
        "depth_multiplier": 2,
        "strided_and_dilated": True,
        "even_stride": True,
        "padding_symmetric": False,
        "symmetric_padding": (0, 1),
        "no_padding": False,
        "pads": (0, 1, 1, 2),
    }


def test_resolving_twice_changes_nothing_and_json_keeps_all():
    x = parse_type("f32[N, 4, 8, 8]")
    conv = operator("Conv2d")(out_channels=8, kernel_size=3, stride=2, padding="same").resolve(x)
    assert conv.resolve(x) == conv
    fields = conv.model_dump(mode="json")
    assert operator(fields.pop("op")).model_validate(fields) == conv


def test_summary_text_is_as_short_as_what_was_written():
    conv = operator("Conv2d")(out_channels=8, kernel_size=3, padding=1).resolve(parse_type("f32[N, 4, 8, 8]"))
    assert str(conv) == "Conv2d(out_channels=8, kernel_size=3, padding=1)"


@pytest.mark.parametrize(
    ("name", "arguments", "x", "code", "text"),
    [
        ("Conv2d", {}, "f32[N, 3, 8]", "DLS0302", "4 axes [N, C, H, W]"),
        ("Conv2d", {}, "i64[N, 3, 8, 8]", "DLS0304", "floating-point"),
        ("Conv2d", {}, "f32[N, C, 8, 8]", "DLS0305", "here it is `C`"),
        ("Conv2d", {"groups": 2}, "f32[N, 3, 8, 8]", "DLS0306", "the 3 channels of f32[N, 3, 8, 8]"),
        ("Conv2d", {"groups": 3}, "f32[N, 3, 8, 8]", "DLS0306", "out_channels = 4"),
        ("Conv2d", {}, "f32[N, 3, 2, 8]", "DLS0308", "kernel of 3 is larger than axis 2"),
        ("Conv2d", {"dilation": 4, "padding": 0}, "f32[N, 3, 8, 8]", "DLS0308", "dilated to 9"),
        ("Conv2d", {"stride": [1, 2, 3]}, "f32[N, 3, 8, 8]", "DLS0309", "stride has 3 numbers"),
        ("Conv2d", {"padding": [[1, 1]]}, "f32[N, 3, 8, 8]", "DLS0309", "1 pairs"),
        ("Conv2d", {"padding": "causal"}, "f32[N, 3, 8, 8]", "DLS0309", "sequences"),
        ("Conv1d", {"padding": "same", "stride": 2}, "f32[N, 3, T]", "DLS0305", "known size on axis 2"),
        ("ConvTranspose2d", {"output_padding": 1}, "f32[N, 3, 8, 8]", "DLS0309", "smaller than its stride"),
        ("ConvTranspose2d", {"padding": "same"}, "f32[N, 3, 8, 8]", "DLS0309", "no meaning"),
        ("ConvTranspose1d", {"padding": 2}, "f32[N, 3, 1]", "DLS0308", "leaves nothing"),
    ],
)
def test_what_is_refused(name, arguments, x, code, text):
    op = operator(name)(**{"out_channels": 4, "kernel_size": 3, **arguments})
    with pytest.raises(OpError) as caught:
        op.resolve(parse_type(x)).infer(parse_type(x))
    assert caught.value.code == code
    assert text in caught.value.message


@pytest.mark.parametrize(
    "arguments",
    [{"kernel_size": 0}, {"kernel_size": [3, 0]}, {"kernel_size": 1.5}, {"padding": -1}, {"padding": "full"},
     {"padding": [[1, 2, 3]]}, {"padding": [1, [1, 2]]}, {"kernel_size": []}, {"stride": True}],
)  # fmt: skip
def test_arguments_of_the_wrong_kind(arguments):
    with pytest.raises(ValueError, match="expected"):
        operator("Conv2d")(**{"out_channels": 4, "kernel_size": 3, **arguments})


def test_padding_may_be_done_by_a_pad(drawn):
    case = drawn(
        operator("Conv2d")(out_channels=4, kernel_size=3, padding=[[0, 2], [1, 0]]), "f32[2, 3, 5, 4]"
    )
    pad, plain = case.op.padless(parse_type("f32[2, 3, 5, 4]"))
    padded = operator("pad")(**pad).reference(*case.operands)
    np.testing.assert_allclose(plain.reference(padded, **case.weights), case.reference()[0])

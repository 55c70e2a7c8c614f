"""Resizing and pixel shuffles against torch."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator

SHUFFLES = ["pixel_shuffle", "pixel_unshuffle"]
CASES = [(name, i) for name in ["resize", *SHUFFLES] for i in range(len(operator(name).examples))]


def torch_resize(op, x, result):
    """The same with torch."""
    import torch
    import torch.nn.functional as F

    x = torch.tensor(x)
    if op.spec_name() in SHUFFLES:
        return getattr(F, op.spec_name())(x, next(iter(dict(op).values())))
    corners = {} if op.mode == "nearest" else {"align_corners": False}
    return F.interpolate(x, size=result.shape[2:], mode=op.mode, **corners)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_examples_are_what_torch_computes(drawn, name, index):
    arguments, types = operator(name).examples[index]
    case = drawn(operator(name)(**arguments), *types)
    (result,) = case.reference()
    np.testing.assert_allclose(result, torch_resize(case.op, *case.operands, result).numpy(), atol=1e-12)
    (simpler,) = case.decomposed()
    np.testing.assert_allclose(simpler, result, atol=1e-6)


def test_canonical_form():
    x = parse_type("f32[N, 3, 4, 6]")
    resize = operator("resize")
    assert resize(size=[8, 6]).resolve(x) == resize(scale=(2, 1))
    assert resize(scale=2.0).resolve(x) == resize(scale=(2, 2))
    assert resize(scale=0.5).resolve(x) == resize(size=(2, 3))
    assert resize(scale=2).facts(x)["isotropic"]


def test_symbolic_lengths():
    up = operator("resize")(scale=2, mode="linear").resolve(parse_type("f32[N, 3, T]"))
    assert str(up.infer(parse_type("f32[N, 3, T]"))) == "f32[N, 3, 2 * T]"
    shuffle = operator("pixel_shuffle")(upscale_factor=2)
    assert str(shuffle.infer(parse_type("f32[N, 8, H, W]"))) == "f32[N, 2, 2 * H, 2 * W]"


@pytest.mark.parametrize(
    ("name", "arguments", "x", "code"),
    [
        ("resize", {}, "f32[N, 3, 4]", "DLS0206"),
        ("resize", {"size": 4, "scale": 2}, "f32[N, 3, 4]", "DLS0309"),
        ("resize", {"scale": [2, 2]}, "f32[N, 3, 4]", "DLS0309"),
        ("resize", {"scale": 0.1}, "f32[N, 3, 4]", "DLS0308"),
        ("resize", {"scale": 2, "mode": "bilinear"}, "f32[N, 3, 4]", "DLS0302"),
        ("resize", {"scale": 2}, "f32[N, 3]", "DLS0302"),
        ("resize", {"size": 8}, "f32[N, 3, T]", "DLS0305"),
        ("resize", {"scale": 1.5}, "f32[N, 3, T]", "DLS0305"),
        ("pixel_shuffle", {"upscale_factor": 2}, "f32[N, 6, 4, 4]", "DLS0306"),
        ("pixel_unshuffle", {"downscale_factor": 2}, "f32[N, 6, 4, 5]", "DLS0306"),
        ("pixel_shuffle", {"upscale_factor": 2}, "f32[N, 8, 4]", "DLS0302"),
    ],
)
def test_what_is_refused(name, arguments, x, code):
    with pytest.raises(OpError) as caught:
        operator(name)(**arguments).infer(parse_type(x))
    assert caught.value.code == code

"""`rearrange`, `reduce` and `einsum`: what patterns mean, and how they fail."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops.einops import Rearrange, Reduce
from dlspec.ops.einsum import Einsum


def test_rearrange_takes_apart_reorders_and_joins():
    x = np.arange(2 * 3 * 12).reshape(2, 3, 12)
    y = Rearrange(pattern="n t (three h d) -> three n h t d", sizes={"three": 3, "h": 2}).reference(x)
    assert y.shape == (3, 2, 2, 3, 2)
    assert (y == x.reshape(2, 3, 3, 2, 2).transpose(2, 0, 3, 1, 4)).all()


def test_rearrange_keeps_symbols():
    op = Rearrange(pattern="n t (h d) -> n h t d", sizes={"h": 8})
    assert str(op.infer(parse_type("f32[N, T, 512]"))) == "f32[N, 8, T, 64]"
    joined = Rearrange(pattern="n h t d -> (n h) t d")
    assert str(joined.infer(parse_type("f32[N, 8, T, 64]"))) == "f32[8 * N, T, 64]"


def test_an_ellipsis_stands_for_any_axes():
    assert str(Rearrange(pattern="... d -> d ...").infer(parse_type("f32[2, 3, 4]"))) == "f32[4, 2, 3]"
    assert str(Rearrange(pattern="n ... -> n (...)").infer(parse_type("f32[2, 3, 4]"))) == "f32[2, 12]"
    assert str(Rearrange(pattern="... d -> d ...").infer(parse_type("f32[4]"))) == "f32[4]"


def test_reduce_pools():
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    y = Reduce(pattern="n c (h p) (w q) -> n c h w", reduction="max", sizes={"p": 2, "q": 2}).reference(x)
    assert y.tolist() == [[[[5, 7], [13, 15]]]]


@pytest.mark.parametrize(
    ("pattern", "sizes", "code", "words"),
    [
        ("n t d", {}, "DLS0310", "one `->`"),
        ("n (t d -> n t d", {}, "DLS0310", "without `)`"),
        ("n t) d -> n t d", {}, "DLS0310", "without `(`"),
        ("n ((t d)) -> n t d", {}, "DLS0310", "inside parentheses"),
        ("n n d -> n d", {}, "DLS0310", "`n` stands twice"),
        ("n t 2 -> n t", {}, "DLS0310", "`2` is not the name"),
        ("n t d -> n t d e", {}, "DLS0310", "`e` stands on the right only"),
        ("n t d -> n t", {}, "DLS0310", "`d` is missing"),
        ("n d -> d n", {}, "DLS0311", "2 axes, but f32[2, 3, 12] has 3"),
        ("n t (h d) -> n h t d", {"h": 5}, "DLS0311", "12 is not a multiple of 5"),
        ("n t d -> n d t", {"d": 5}, "DLS0311", "axis 2 of f32[2, 3, 12] is `d`, but 12 is not 5"),
        ("n 1 d -> n d", {}, "DLS0311", "axis 1"),
        ("n t d -> d t n", {"h": 2}, "DLS0311", "no axis `h`"),
        ("n t (h w d) -> n h w t d", {"h": 2}, "DLS0312", "`w` and `d` are unknown"),
    ],
)
def test_a_wrong_pattern_is_told_by_the_axis(pattern, sizes, code, words):
    with pytest.raises(OpError) as caught:
        Rearrange(pattern=pattern, sizes=sizes).infer(parse_type("f32[2, 3, 12]"))
    assert caught.value.code == code
    assert words in caught.value.message


def test_an_unknown_length_is_divided_only_where_that_is_certain():
    with pytest.raises(OpError) as caught:
        Rearrange(pattern="n (h d) -> n h d", sizes={"h": 8}).infer(parse_type("f32[N, T]"))
    assert caught.value.code == "DLS0311"


def test_einsum_reads_words_and_letters():
    x, y = parse_type("f32[N, 3, 4]"), parse_type("f32[4, 5]")
    for pattern in ("n t d, d k -> n t k", "ntd,dk->ntk", "batch time d,d out->batch time out"):
        op = Einsum(pattern=pattern)
        assert str(op.infer(x, y)) == "f32[N, 3, 5]"
        assert op.facts(x, y)["equation"] == "abc,cd->abd"
        assert str(op.macs(x, y)) == "60 * N"


@pytest.mark.parametrize(
    ("pattern", "code", "words"),
    [
        ("n t, d k", "DLS0310", "one `->`"),
        ("n d, d k -> n z", "DLS0310", "`z` stands on the right only"),
        ("n d, (d k) e -> n k", "DLS0310", "neither parentheses"),
        ("n d -> n", "DLS0311", "1 tensors, but got 2"),
        ("n d e, d k -> n k", "DLS0311", "`n d e` has 3 axes"),
        ("n d, n k -> d k", "DLS0311", "axis `n` is 3 before, but 4"),
    ],
)
def test_a_wrong_einsum_is_told_by_the_axis(pattern, code, words):
    with pytest.raises(OpError) as caught:
        Einsum(pattern=pattern).infer(parse_type("f32[3, 4]"), parse_type("f32[4, 5]"))
    assert caught.value.code == code
    assert words in caught.value.message

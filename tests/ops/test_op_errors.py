"""What the operators say of unfit operands, in the user's terms; and shapes that only the run knows."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dlspec.ir.op import OpError
from dlspec.ir.types import parse_type
from dlspec.ops import operator


def infer(name, fields, *types):
    parsed = tuple(map(parse_type, types))
    return operator(name)(**fields).resolve(*parsed).infer(*parsed)


WRONG = [
    ("add", {}, ["f32[2, 3]", "f32[4]"], "DLS0301", "do not broadcast"),
    ("add", {}, ["bool[2]", "bool[2]"], "DLS0304", "needs numbers"),
    ("pow", {}, ["i64[2]", "f32[2]"], "DLS0304", "fractional power"),
    ("logical_and", {}, ["f32[2]", "bool[2]"], "DLS0304", "needs true or false"),
    ("where", {}, ["f32[2]", "f32[2]", "f32[2]"], "DLS0304", "condition of `where`"),
    ("relu", {}, ["i64[2]"], "DLS0304", "floating-point"),
    ("softmax", {"axis": 2}, ["f32[2, 3]"], "DLS0303", "axis 2 does not exist"),
    ("glu", {}, ["f32[2, 3]"], "DLS0314", "odd"),
    ("mean", {}, ["i64[2]"], "DLS0304", "floating-point"),
    ("sum", {"axis": [0, -2]}, ["f32[2, 3]"], "DLS0303", "named twice"),
    ("max", {}, ["f32[0, 3]"], "DLS0321", "empty"),
    ("var", {"axis": 1}, ["f32[2, 1]"], "DLS0321", "divides by zero"),
    ("topk", {"k": 4}, ["f32[3]"], "DLS0321", "4 of the 3"),
    ("reshape", {"shape": [4, 2]}, ["f32[3, 3]"], "DLS0320", "9 elements, the new shape 8"),
    ("reshape", {"shape": [-1, -1]}, ["f32[3, 3]"], "DLS0320", "only one"),
    ("reshape", {"shape": [2, -1]}, ["f32[3, 3]"], "DLS0320", "not a multiple of 2"),
    ("reshape", {"shape": ["N", 5]}, ["f32[N, 4]"], "DLS0320", "4 * N elements, the new shape 5 * N"),
    ("flatten", {"start": 2, "end": 1}, ["f32[2, 3, 4]"], "DLS0303", "from axis 2 to axis 1"),
    ("transpose", {"axes": [0, 0]}, ["f32[2, 3]"], "DLS0303", "each of the 2 axes"),
    ("transpose", {}, ["f32[2]"], "DLS0302", "last two axes"),
    ("squeeze", {"axis": 0}, ["f32[2, 1]"], "DLS0322", "axis 0"),
    ("expand", {"shape": [2, 3]}, ["f32[2, 2]"], "DLS0301", "do not broadcast"),
    ("concat", {"axis": 0}, ["f32[2, 3]", "f32[2, 4]"], "DLS0307", "differ on axis 1: 3 against 4"),
    ("stack", {}, ["f32[2]", "f32[3]"], "DLS0307", "one shape"),
    ("split", {"sizes": [1, 1]}, ["f32[3]"], "DLS0314", "make 2"),
    ("split", {"parts": 2}, ["f32[3]"], "DLS0314", "2 equal parts"),
    ("split", {}, ["f32[3]"], "DLS0206", "`sizes` or `parts`"),
    ("unstack", {}, ["f32[N, 3]"], "DLS0305", "must be known, but here it is `N`"),
    ("slice", {"index": [5]}, ["f32[3]"], "DLS0319", "index 5 lies outside axis 0"),
    ("slice", {"index": [[1, 9, None]]}, ["f32[3]"], "DLS0319", "`1:9` goes beyond"),
    ("slice", {"index": [[None, None, -1]]}, ["f32[3]"], "DLS0214", "positive"),
    ("slice", {"index": [0, 0]}, ["f32[3]"], "DLS0302", "2 indices for the 1 axes"),
    ("pad", {"padding": [[3, 0]], "mode": "reflect"}, ["f32[3]"], "DLS0321", "needs more than"),
    ("pad", {"padding": [[1, 0], [1, 0]]}, ["f32[3]"], "DLS0303", "2 axes of a tensor with 1"),
    ("Embedding", {"num_embeddings": 3, "embedding_dim": 2}, ["f32[2]"], "DLS0304", "whole numbers"),
    ("take", {}, ["f32[3]", "f32[2]"], "DLS0304", "whole numbers"),
    ("gather", {"axis": 1}, ["f32[3, 2]", "i64[2, 2]"], "DLS0301", "another axis"),
    ("one_hot", {"classes": 3}, ["f32[3]"], "DLS0304", "class numbers"),
    ("attention", {}, ["f32[2, 3, 4]", "f32[2, 5, 3]", "f32[2, 5, 3]"], "DLS0301", "last axis"),
    ("attention", {}, ["f32[2, 3, 4]", "f32[5, 4]", "f32[5, 4]"], "DLS0302", "same two or more axes"),
    ("attention", {}, ["f32[3, 4, 2]", "f32[2, 5, 2]", "f32[2, 5, 2]"], "DLS0301", "leading axes"),
    ("attention", {}, ["f32[3, 2]", "f32[5, 2]", "f32[5, 2]", "bool[5]"], None, ""),
    ("attention", {}, ["f32[3, 2]", "f32[5, 2]", "f32[5, 2]", "bool[4, 5]"], "DLS0301", "must fit"),
    ("attention", {}, ["f32[3, 2]", "f32[5, 2]", "f32[5, 2]", "f32[3, 5]"], "DLS0304", "mask"),
    ("cross_entropy", {}, ["f32[N, 10]", "i64[N, 1]"], "DLS0313", "needs labels i64[N]"),
    ("cross_entropy", {}, ["f32[N, 10]", "f32[N]"], "DLS0304", "class numbers"),
    ("mse_loss", {}, ["f32[N, 1]", "f32[N]"], "DLS0313", "one shape"),
    ("accuracy", {}, ["f32[N, 10]", "i64[M]"], "DLS0313", "needs labels"),
    ("PReLU", {"num_parameters": 4}, ["f32[2, 3]"], "DLS0309", "4 slopes"),
    ("Linear", {"out_features": 4}, ["f32[2, T]"], "DLS0305", "known, but here it is `T`"),
]


@pytest.mark.parametrize(("name", "fields", "types", "code", "words"), WRONG)
def test_unfit_operands_are_told_so(name, fields, types, code, words):
    if code is None:
        infer(name, fields, *types)
        return
    with pytest.raises(OpError) as caught:
        infer(name, fields, *types)
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("clip", {}),
        ("clip", {"min": 2, "max": 1}),
        ("Dropout", {"p": 1.0}),
        ("topk", {"k": 0}),
        ("cast", {"dtype": "f8"}),
    ],
)
def test_impossible_arguments_are_refused(name, fields):
    with pytest.raises(ValidationError):
        operator(name)(**fields)


@pytest.mark.parametrize(
    ("name", "fields", "types", "result"),
    [
        ("flatten", {}, ["f32[N, T, 8]"], "f32[N, 8 * T]"),
        ("reshape", {"shape": ["N", -1]}, ["f32[N, T, 8]"], "f32[N, 8 * T]"),
        ("concat", {"axis": 1}, ["f32[N, T]", "f32[N, 2]"], "f32[N, T + 2]"),
        ("slice", {"index": ["...", [1, None, None]]}, ["f32[N, T]"], "f32[N, T - 1]"),
        ("slice", {"index": ["...", [-3, None, None]]}, ["f32[N, T]"], "f32[N, 3]"),
        ("slice", {"index": ["...", [None, None, 2]]}, ["f32[N, T]"], "f32[N, ((T + 1) // 2)]"),
        ("pad", {"padding": [[1, 2]]}, ["f32[N, T]"], "f32[N, T + 3]"),
        ("mean", {"axis": 1}, ["f32[N, T, 8]"], "f32[N, 8]"),
        ("cross_entropy", {"axis": -1}, ["f32[N, T, 8]", "i64[N, T]"], "f32[]"),
        ("attention", {}, ["f32[N, T, 8]", "f32[N, S, 8]", "f32[N, S, 4]", "bool[N, 1, S]"], "f32[N, T, 4]"),
        ("tile", {"repeats": [1, 3]}, ["f32[N, T]"], "f32[N, 3 * T]"),
    ],
)
def test_symbols_travel(name, fields, types, result):
    assert str(infer(name, fields, *types)).replace(" ", "") == result.replace(" ", "")


def test_creation_takes_symbols():
    assert str(operator("arange")(start="T").resolve().infer()) == "i64[T]"
    assert str(operator("full")(shape=["N", 3], value=1.5).infer()) == "f32[N, 3]"
    assert str(operator("normal")(shape=["N", 64]).infer()) == "f32[N, 64]"

"""Texts in a `data` declaration: their vocabulary, and columns that are pieces of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.diagnostics import fail
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.training import DataSet, Vocabulary
from dlspec.ir.types import TensorType
from dlspec.syntax import tree

if TYPE_CHECKING:
    from dlspec.elaborate.declarations import Settings

KINDS = ("characters",)
WANTED = "write `vocabulary = characters(100)`: the 99 most frequent ones, and one number for all others"


def vocabulary(expr: tree.Expr | None, frame: Frame) -> Vocabulary | None:
    """`characters(100)`: what the symbols are, and how many there are at most."""
    if expr is None:
        return None
    call = expr if isinstance(expr, tree.Call) else None
    function = call.function if call is not None else None
    if call is None or not isinstance(function, tree.Name) or function.id not in KINDS:
        raise fail("DLS0505", "`vocabulary` must be `characters(SIZE)`", expr.span, "no vocabulary", WANTED)
    if len(call.arguments) != 1 or call.arguments[0].name is not None:
        raise fail("DLS0505", "`characters` takes one number, how many there are", call.span,
                   "not one number", WANTED)  # fmt: skip
    written = call.arguments[0].value
    size = evaluate(written, frame)
    if isinstance(size, bool) or not isinstance(size, int) or not 2 <= size <= 1_000_000:
        raise fail("DLS0505", f"a vocabulary has from 2 to 1,000,000 symbols, not {describe(size)}",
                   written.span, "no size of a vocabulary", WANTED)  # fmt: skip
    return Vocabulary(kind=function.id, size=size)


def is_text(kind: TensorType) -> bool:
    """Whether a column of this type, of one example, holds the characters of a text."""
    return kind.dtype == "i64" and kind.rank == 1


def check_texts(data: DataSet, item: tree.Declaration, settings: Settings) -> None:
    """A text has a vocabulary, and columns that are equally long; so may generated texts; nothing else has one."""
    if data.source.kind != "text":
        wrong = ""
        if data.vocabulary is not None and data.source.kind != "synthetic":
            wrong = f"`vocabulary` is for texts, and the source is `{data.source.kind}`"
        elif data.vocabulary is not None and not any(map(is_text, data.columns.values())):
            wrong = "`vocabulary` is for texts, and no column is one: `i64[64]`"
        if wrong:
            raise fail("DLS0505", wrong, settings.values["vocabulary"].name.span, "no text", "leave it out")
        return
    if data.vocabulary is None:
        raise fail("DLS0503", f"`data {item.name.id}` does not say its `vocabulary`", item.name.span,
                   "needs `vocabulary = ...`", WANTED)  # fmt: skip
    kinds = list(data.columns.values())
    if any(not is_text(kind) or kind != kinds[0] for kind in kinds):
        raise fail("DLS0505", "the columns of a text are pieces of the same length: `i64[64]`",
                   settings.values["columns"].value.span, "not all of them are",
                   "write `columns = { text: i64[64], next: i64[64] }`")  # fmt: skip

"""Texts in a `data` declaration: their vocabulary, and columns that are pieces of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.data import DataSet, Vocabulary
from dlspec.ir.types import TensorType
from dlspec.syntax import tree

if TYPE_CHECKING:
    from dlspec.elaborate.declarations import Settings

WANTED = "write `vocabulary = characters(100)`: the 99 most frequent ones, and one number for all others"
SMALLEST = {"characters": 2, "words": 2, "bpe": 257}
"""The kinds, and how many symbols each has at least: those of `bpe` are the bytes, and number 0."""
EXAMPLES = {
    "characters": WANTED,
    "words": "write `vocabulary = words(5000)`: the 4999 most frequent ones, and one number for all others",
    "bpe": "write `vocabulary = bpe(512)`: 256 bytes, 255 merges, and number 0",
}


def vocabulary(expr: tree.Expr | None, frame: Frame) -> Vocabulary | None:
    """`characters(100)`, `words(5000)`, `bpe(512)`: what the symbols are, and how many there are at most."""
    if expr is None:
        return None
    call = expr if isinstance(expr, tree.Call) else None
    function = call.function if call is not None else None
    if call is None or not isinstance(function, tree.Name) or function.id not in SMALLEST:
        kinds = " or ".join(f"`{kind}(SIZE)`" for kind in SMALLEST)
        raise fail("DLS0505", f"`vocabulary` must be {kinds}", expr.span, "no vocabulary", WANTED)
    kind = function.id
    if len(call.arguments) != 1 or call.arguments[0].name is not None:
        raise fail("DLS0505", f"`{kind}` takes one number, how many there are", call.span, "not one number",
                   EXAMPLES[kind])  # fmt: skip
    written = call.arguments[0].value
    size, least = evaluate(written, frame), SMALLEST[kind]
    if isinstance(size, bool) or not isinstance(size, int) or not least <= size <= 1_000_000:
        raise fail("DLS0505", f"a vocabulary of {kind} has from {least} to 1,000,000 symbols, not {describe(size)}",
                   written.span, "no size of a vocabulary", EXAMPLES[kind])  # fmt: skip
    return Vocabulary(kind=kind, size=size)


def is_text(kind: TensorType) -> bool:
    """Whether a column of this type, of one example, holds the symbols of a text."""
    return kind.dtype == "i64" and kind.rank == 1


def text_columns(data: DataSet) -> list[str]:
    """The columns that hold numbers of symbols of the vocabulary."""
    if data.vocabulary is None:
        return []
    if data.texts or data.source.kind not in ("text", "synthetic"):
        return list(data.texts)
    return [name for name, kind in data.columns.items() if is_text(kind)]


def check_texts(data: DataSet, item: tree.Declaration, settings: Settings) -> None:
    """A text has a vocabulary, and columns that are equally long; so may generated texts; nothing else has one."""
    _check_bytes(data, settings)
    if data.source.kind == "text":
        _check_pieces(data, item, settings)
    elif data.texts and data.vocabulary is None:
        raise fail("DLS0503", f"`data {item.name.id}` does not say the `vocabulary` of its texts", item.name.span,
                   "needs `vocabulary = ...`", WANTED)  # fmt: skip
    elif data.vocabulary is not None and not text_columns(data):
        wrong, hint = "no column is a text", "write `text[64]` as its type: at most 64 symbols"
        if data.source.kind == "synthetic":
            wrong, hint = "no column is one: `i64[64]`", "leave it out"
        raise fail("DLS0505", f"`vocabulary` is for texts, and {wrong}", settings.values["vocabulary"].name.span,
                   "no text", hint)  # fmt: skip
    elif data.vocabulary is not None and data.vocabulary.of_tokens and not data.texts:
        raise fail("DLS0505", f"`{data.vocabulary.kind}` is for texts, and what is generated are numbers of characters",
                   settings.values["vocabulary"].value.span, "no text", EXAMPLES["characters"])  # fmt: skip


def _check_pieces(data: DataSet, item: tree.Declaration, settings: Settings) -> None:
    """The columns of the source `text`: pieces, each one symbol after the one before it."""
    if data.vocabulary is None:
        raise fail("DLS0503", f"`data {item.name.id}` does not say its `vocabulary`", item.name.span,
                   "needs `vocabulary = ...`", WANTED)  # fmt: skip
    kinds = [kind for name, kind in data.columns.items() if name not in data.bytes]
    if data.texts or any(not is_text(kind) or kind != kinds[0] for kind in kinds):
        raise fail("DLS0505", "the columns of a text are pieces of the same length: `i64[64]`",
                   settings.values["columns"].value.span, "not all of them are",
                   "write `columns = { text: i64[64], next: i64[64] }`")  # fmt: skip


def _check_bytes(data: DataSet, settings: Settings) -> None:
    """`bytes(x)` is of a column of tokens."""
    texts, problems = text_columns(data), []
    span = settings.values["columns"].value.span
    for name, of in data.bytes.items():
        if of not in texts or data.vocabulary is None or data.vocabulary.kind != "bpe":
            message = f"`{name}` counts the bytes of `{of}`, which is no text of a vocabulary `bpe`"
            hint = "write `columns = { text: i64[64], next: i64[64], size: bytes(next) }`, `vocabulary = bpe(512)`"
            problems.append(Diagnostic("DLS0505", message, span, "no bytes", hint=hint))
    if problems:
        raise SpecError(problems)

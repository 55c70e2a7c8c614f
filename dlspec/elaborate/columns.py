"""`columns = { image: f32[1, 8, 8], label: i64, kind: category(3) }`: what one example has."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.elaborate.arguments import given_twice
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.types import dtype_of
from dlspec.elaborate.values import describe
from dlspec.ir.data import Category
from dlspec.ir.dims import Dim, symbol
from dlspec.ir.types import DTYPES, TensorType, tensor
from dlspec.syntax import tree
from dlspec.syntax.source import Span

CATEGORY = "write `category(3)`, with how many there are at most"


@dataclass
class Columns:
    """The columns by name: the type of each for one example, and what those are that the source has as text."""

    types: dict[str, TensorType] = field(default_factory=dict)
    categories: dict[str, Category] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    bytes: dict[str, str] = field(default_factory=dict)
    axis: str | None = None

    def add(self, name: str, written: tree.Expr, frame: Frame) -> None:
        """A column as it is written."""
        base, _ = _parts(written)
        word, kind = base.id if isinstance(base, tree.Name) else "", tensor("i64")
        if word == "category":
            self.categories[name] = _category(written, frame)
        elif word == "bytes" and isinstance(written, tree.Call):
            self.bytes[name] = _counted(written)
        elif word == "text":
            kind = _text_type(written, frame, self.axis)
            self.texts.append(name)
        else:
            kind = _column_type(written, frame, self.axis)
        self.types[name] = kind


def columns_of(expr: tree.Expr, frame: Frame, axis: str | None = None) -> Columns:
    """The setting; all mistakes in it are told together. `axis` is the symbol of the axis that `bucket` says."""
    if not isinstance(expr, tree.Dict) or not expr.items:
        raise fail("DLS0505", "`columns` must be a dictionary of names and types", expr.span, "not a dictionary",
                   "write `{ image: f32[1, 8, 8], label: i64 }`")  # fmt: skip
    columns = Columns(axis=axis)
    problems: list[Diagnostic] = []
    for name, written in expr.items:
        try:
            _check_name(name, expr)
            columns.add(name.id, written, frame)
        except SpecError as error:
            problems += error.diagnostics
    if problems:
        raise SpecError(problems)
    return columns


def column_places(item: tree.Declaration) -> dict[str, Span]:
    """Where each column of a `data` declaration is written."""
    for entry in item.entries:
        if (
            isinstance(entry, tree.Setting)
            and entry.name.id == "columns"
            and isinstance(entry.value, tree.Dict)
        ):
            return {key.id: key.span.to(written.span) for key, written in entry.value.items}
    return {}


def _check_name(name: tree.Name, expr: tree.Dict) -> None:
    first = next(other.span for other, _ in expr.items if other.id == name.id)
    if first is not name.span:
        raise given_twice(f"the column `{name.id}`", name.span, first)
    if name.id.startswith("%"):
        raise fail("DLS0505", "names that start with `%` are dlspec's own", name.span, "choose another name")


def _parts(written: tree.Expr) -> tuple[tree.Expr, list[tree.Expr]]:
    """What a type begins with, and its sizes: `f32[1, 8, 8]` parses as an indexed name, too."""
    match written:
        case tree.TensorType():
            return written.dtype or written, written.dims or []
        case tree.Subscript():
            return written.value, written.indices
        case tree.Call():
            return written.function, []
    return written, []


def _counted(written: tree.Call) -> str:
    """The column in `bytes(next)`."""
    argument = written.arguments[0] if len(written.arguments) == 1 else None
    if argument is None or argument.name is not None or not isinstance(argument.value, tree.Name):
        raise fail("DLS0505", "`bytes` takes one column of a text", written.span, "not one column",
                   "write `bytes(next)`")  # fmt: skip
    return argument.value.id


def _text_type(written: tree.Expr, frame: Frame, axis: str | None) -> TensorType:
    """`text[64]`: the symbols of a text, at most 64 of them."""
    _, dims = _parts(written)
    if len(dims) != 1:
        raise fail("DLS0505", "a column of texts says how many symbols they have at most", written.span,
                   "how many?", "write `text[64]`")  # fmt: skip
    return tensor("i64", [_size(dims[0], frame, axis)])


def _category(written: tree.Expr, frame: Frame) -> Category:
    """`category(3)`, or `category(3, unknown = true)`."""
    fed = [a.value for a in written.arguments if a.name is None] if isinstance(written, tree.Call) else []
    named = {a.name.id: a for a in written.arguments if a.name} if isinstance(written, tree.Call) else {}
    if len(fed) != 1 or named.keys() - {"unknown"}:
        raise fail("DLS0505", "a column of categories says how many there are", written.span, "how many?",
                   CATEGORY)  # fmt: skip
    size = plain(evaluate(fed[0], frame))
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 1_000_000:
        raise fail("DLS0505", f"there are from 1 to 1,000,000 categories, not {describe(size)}", fed[0].span,
                   "not a number of them", CATEGORY)  # fmt: skip
    unknown = evaluate(named["unknown"].value, frame) if named else False
    if not isinstance(unknown, bool):
        raise fail("DLS0505", f"`unknown` must be true or false, not {describe(unknown)}", named["unknown"].span,
                   "neither true nor false", "write `category(4, unknown = true)`")  # fmt: skip
    if unknown and size < 2:
        raise fail("DLS0505", "with a number for what is unknown, there are at least 2 categories", fed[0].span,
                   "too few", "write `category(4, unknown = true)`")  # fmt: skip
    return Category(size=size, unknown=unknown)


def _column_type(written: tree.Expr, frame: Frame, axis: str | None) -> TensorType:
    """`i64`, or `f32[1, 8, 8]`."""
    base, dims = _parts(written)
    if isinstance(written, tree.Call) or not isinstance(base, tree.Name):
        raise fail("DLS0218", "a column's type is an element type and sizes", written.span, "not a type",
                   f"write `f32[1, 8, 8]` or one of {', '.join(DTYPES)}")  # fmt: skip
    return tensor(
        dtype_of(base), [_size(dim, frame, None if place else axis) for place, dim in enumerate(dims)]
    )


def _size(dim: tree.Expr, frame: Frame, axis: str | None) -> Dim:
    """A size; the first one may be the symbol `axis`."""
    if isinstance(dim, tree.Name) and dim.id not in frame.scope.visible():
        if dim.id == axis:
            return symbol(axis)
        hint = "write the type of one example: the batch axis is added"
        if dim.id != "N":
            hint = f"give a number, or `bucket = {{ {dim.id}: [16, 32, 64] }}` for a first size that differs"
        raise fail("DLS0219", f"a column's size must be a positive whole number, not the symbol `{dim.id}`", dim.span,
                   "not a number", hint)  # fmt: skip
    value = evaluate(dim, frame)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fail("DLS0219", f"a column's size must be a positive whole number, not {describe(value)}",
                   dim.span, "not a size")  # fmt: skip
    return value

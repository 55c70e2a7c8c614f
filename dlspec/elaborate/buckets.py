"""`bucket = { T: [16, 32, 64], by: frames }`: batches of examples of about the same length."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from dlspec.diagnostics import fail
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.ir.data import Bucket, DataSet
from dlspec.ir.dims import symbol
from dlspec.syntax import tree

if TYPE_CHECKING:
    from dlspec.elaborate.declarations import Settings

EXAMPLE = "write `bucket = { T: [16, 32, 64] }`, and `T` as the first size of columns"
BESIDE = {"windows": "windows have one length", "stream": "a stream does not know how long its examples are"}
"""Settings that it does not go with, and why."""


def bucket_of(expr: tree.Expr | None, frame: Frame) -> Bucket | None:
    """The setting: the symbol of an axis with its sizes, and the column of lengths, if there is one."""
    if expr is None:
        return None
    items = {key.id: (key, value) for key, value in expr.items} if isinstance(expr, tree.Dict) else {}
    by = items.pop("by", None)
    if len(items) != 1 or not isinstance(expr, tree.Dict) or len(expr.items) != 1 + (by is not None):
        raise fail(
            "DLS0505", "`bucket` is the symbol of an axis and its sizes", expr.span, "not that", EXAMPLE
        )
    ((axis, written),) = items.values()
    if axis.id in frame.scope.visible() or axis.id == "N":
        raise fail("DLS0505", f"`{axis.id}` stands for something else already", axis.span, "taken", EXAMPLE)
    sizes = plain(evaluate(written, frame))
    fine = isinstance(sizes, list) and sizes and all(type(size) is int and size > 0 for size in sizes)
    if not fine or any(a >= b for a, b in pairwise(sizes)):
        raise fail("DLS0505", "the sizes of a `bucket` are whole numbers that grow", written.span, "not such numbers",
                   EXAMPLE)  # fmt: skip
    if by is not None and not isinstance(by[1], tree.Name):
        raise fail("DLS0505", "`by` names a column of lengths", by[1].span, "no name of a column", EXAMPLE)
    name = by[1].id if by is not None and isinstance(by[1], tree.Name) else None
    return Bucket(axis=axis.id, sizes=tuple(sizes), by=name)


def padded(data: DataSet) -> list[str]:
    """The columns that are cut to the length of their batch."""
    axis = symbol(data.bucket.axis) if data.bucket else None
    return [name for name, kind in data.columns.items() if kind.shape and kind.shape[0] == axis]


def check_bucket(data: DataSet, settings: Settings) -> None:
    """Some column has the axis, lengths are whole numbers, and nothing needs examples of one length."""
    if data.bucket is None:
        return
    entry, names = settings.values["bucket"], padded(data)
    if not names:
        raise fail("DLS0505", f"no column begins with the size `{data.bucket.axis}`", entry.name.span, "of which?",
                   f"write `columns = {{ words: i64[{data.bucket.axis}] }}`")  # fmt: skip
    by = data.columns.get(data.bucket.by) if data.bucket.by else None
    if data.bucket.by and (by is None or by.rank or by.is_float or data.bucket.by in data.categories):
        raise fail("DLS0505", f"`{data.bucket.by}` is no column of lengths", entry.value.span, "no lengths",
                   "it must be a column of one whole number, `i64`; leave `by` out to go by what is not 0")  # fmt: skip
    for name, why in BESIDE.items():
        if name in settings.values and getattr(data, name) is not None:
            raise fail("DLS0505", f"`bucket` does not go with `{name}`: {why}", entry.name.span, "does not go with it",
                       f"leave `{name}` or `bucket` out")  # fmt: skip
    if data.source.kind in ("text", "gymnasium"):
        what = "the pieces of a text" if data.source.kind == "text" else "the states of a world"
        raise fail("DLS0505", f"`bucket` is for examples of different lengths, and {what} have one", entry.name.span,
                   "one length", "leave `bucket` out")  # fmt: skip
    altered = [name for step in data.augment for name in step.columns if name in names]
    if altered:
        raise fail("DLS0518", f"`augment` alters `{altered[0]}`, whose examples differ in length", entry.name.span,
                   "differs between batches", "leave `bucket` out, or alter other columns")  # fmt: skip

"""`x[:, 0]`, `x[..., 1:]`, `x[none]` on tensors: one `slice` operator."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.apply import apply_function
from dlspec.elaborate.arguments import Bound
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.builder import Handle
from dlspec.ir.dims import Symbolic
from dlspec.ops import operator
from dlspec.syntax import tree


def slice_tensor(value: Handle, expr: tree.Subscript, frame: Frame) -> Any:
    """A tensor indexed by constants; to index by a tensor there are `gather` and `take`.

    A list picks places of its axis, in its order: `x[:, [0, 2]]`. The rest is sliced first.
    """
    entries = [_entry(index, frame) for index in expr.indices]
    lists = [i for i, entry in enumerate(entries) if isinstance(entry, list)]
    for second in lists[1:]:
        raise fail("DLS0214", "an index has at most one list", expr.indices[second].span, "a second list",
                   "index twice: `x[[0, 2]][:, [1, 3]]`")  # fmt: skip
    picked = [_ALL if isinstance(entry, list) else entry for entry in entries]
    result = value
    if not lists or any(entry not in (_ALL, "...") for entry in picked):
        bound = Bound()
        bound.put("index", picked, expr.span, None)
        bound.spans |= {f"index[{i}]": index.span for i, index in enumerate(expr.indices)}
        result = apply_function(operator("slice"), bound, [value], expr.span, frame)
    for place in lists:
        axis = _axis_after(picked, place, result.type.rank)
        bound = Bound()
        bound.put("places", entries[place], expr.indices[place].span, None)
        bound.put("axis", axis, expr.span, None)
        result = apply_function(operator("pick"), bound, [result], expr.span, frame)
    return result


_ALL = (None, None, None)
"""The whole of an axis, as `:` says."""


def _axis_after(entries: list[Any], place: int, rank: int) -> int:
    """The axis of the sliced tensor that entry `place` stands for."""
    kept = [entry is None or entry == "..." or isinstance(entry, tuple) for entry in entries]
    if "..." in entries[:place]:
        return rank - sum(kept[place:])
    return sum(kept[:place])


def _entry(index: tree.Expr, frame: Frame) -> Any:
    from dlspec.elaborate.evaluate import evaluate

    if isinstance(index, tree.Ellipsis):
        return "..."
    if isinstance(index, tree.Slice):
        parts = (index.start, index.stop, index.step)
        return tuple(None if part is None else _place(part, frame) for part in parts)
    if isinstance(index, tree.Literal) and index.value is None:
        return None
    value = evaluate(index, frame)
    if isinstance(value, list | range):
        return [_whole(item, index) for item in value]
    if isinstance(value, Handle):
        raise fail("DLS0214", "a tensor is indexed by constants, not by a tensor", index.span, "a tensor",
                   "use `gather(x, index, axis)` or `take(x, index, axis)`")  # fmt: skip
    return _whole(value, index)


def _place(part: tree.Expr, frame: Frame) -> Any:
    from dlspec.elaborate.evaluate import evaluate

    return _whole(evaluate(part, frame), part)


def _whole(value: Any, expr: tree.Expr) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | Symbolic):
        raise fail("DLS0214", f"an index must be a whole number, not {describe(value)}", expr.span,
                   "not a whole number")  # fmt: skip
    return value

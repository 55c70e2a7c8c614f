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
    """A tensor indexed by constants; to index by a tensor there are `gather` and `take`."""
    bound = Bound()
    bound.put("index", [_entry(index, frame) for index in expr.indices], expr.span, None)
    bound.spans |= {f"index[{i}]": index.span for i, index in enumerate(expr.indices)}
    return apply_function(operator("slice"), bound, [value], expr.span, frame)


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

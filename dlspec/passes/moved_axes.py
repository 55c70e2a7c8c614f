"""Operators that name axes, rewritten for an operand in channels-last layout.

Each rule takes the operator and the operand's type in the language, and gives the operator for the moved
axes with the layout of its results; or None where that is not possible without moving the operand back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.passes.layouts import FIRST, LAST, Layout, back, order, placed

Moved = tuple[Op, Layout]
Rule = Callable[[Any, TensorType], Moved | None]


def _with(op: Op, **fields: Any) -> Op:
    return op.model_copy(update=fields)


def _left(dropped: Sequence[int], rank: int) -> Layout | None:
    """The layout of what is left when axes are dropped from a channels-last tensor."""
    kept = [axis for axis in order(LAST, rank) if axis not in dropped]
    rising = sorted(kept)
    if kept == rising:
        return FIRST
    return LAST if kept == [rising[i] for i in order(LAST, len(kept))] else None


def _axis(op: Any, x: TensorType) -> Moved:
    """One axis, kept."""
    return _with(op, axis=back(LAST, x.rank)[op.axis]), LAST


def _axes(op: Any, x: TensorType) -> Moved:
    """Several axes, kept."""
    places = back(LAST, x.rank)
    return _with(op, axis=tuple(sorted(places[axis] for axis in op.axis))), LAST


def _reduced(op: Any, x: TensorType) -> Moved | None:
    """Axes that go, or stay with length 1."""
    if op.axis is None:
        return None
    axes = (op.axis,) if isinstance(op.axis, int) else op.axis
    layout = LAST if op.keepdims else _left(axes, x.rank)
    if layout is None:
        return None
    places = back(LAST, x.rank)
    moved = tuple(sorted(places[axis] for axis in axes))
    return _with(op, axis=moved[0] if isinstance(op.axis, int) else moved), layout


def _each(field: str) -> Rule:
    """A field with one entry for each axis."""

    def rule(op: Any, x: TensorType) -> Moved | None:
        items = getattr(op, field)
        return (_with(op, **{field: placed(LAST, items)}), LAST) if len(items) == x.rank else None

    return rule


def _slice(op: Any, x: TensorType) -> Moved | None:
    """Ranges and indices, one for each axis; an index drops its axis."""
    if len(op.index) != x.rank or None in op.index:
        return None
    layout = _left([axis for axis, entry in enumerate(op.index) if not isinstance(entry, tuple)], x.rank)
    return layout and (_with(op, index=placed(LAST, op.index)), layout)


# The operators are resolved: axes count from the front, and there is an entry for each axis.
RULES: dict[str, Rule] = {
    **dict.fromkeys(("softmax", "log_softmax", "glu", "roll", "cumsum", "repeat_interleave", "pick"), _axis),
    **dict.fromkeys(("concat", "split", "chunk", "topk"), _axis),
    "flip": _axes,
    **dict.fromkeys(("sum", "prod", "mean", "max", "min", "any", "all", "argmax", "argmin"), _reduced),
    **dict.fromkeys(("var", "std", "logsumexp", "norm"), _reduced),
    "pad": _each("padding"),
    "tile": _each("repeats"),
    "expand": _each("shape"),
    "slice": _slice,
}

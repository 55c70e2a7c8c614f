"""Compile-time conditions as text over the variables of a block, for the nodes that are there only if they hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dlspec.diagnostics import SpecError
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import Poisoned
from dlspec.ir.condition import NEGATIONS, UNKNOWN
from dlspec.ir.dims import Symbolic
from dlspec.syntax import tree


@contextmanager
def branch(expr: tree.Expr, taken: bool, frame: Frame) -> Iterator[None]:
    """While a branch of a condition is elaborated, all nodes that are made remember the condition."""
    builder = frame.builder
    if builder is None:
        yield
        return
    before = builder.condition
    text = _text(expr, frame, positive=taken)
    if before and UNKNOWN in (before, text):
        text = UNKNOWN
    elif before:
        text = " and ".join(f"({part})" if " or " in part else part for part in (before, text))
    builder.condition = text
    try:
        yield
    finally:
        builder.condition = before


def _text(expr: tree.Expr, frame: Frame, *, positive: bool) -> str:
    """The condition, or its opposite."""
    try:
        return _condition(expr, frame, positive)
    except (SpecError, Poisoned, _NotSayable):
        return UNKNOWN


class _NotSayable(Exception):
    """Something in a condition is neither a number nor a parameter."""


def _condition(expr: tree.Expr, frame: Frame, positive: bool) -> str:
    match expr:
        case tree.Unary(op="not", operand=operand):
            return _condition(operand, frame, not positive)
        case tree.Binary(op="and" | "or" as op, left=left, right=right):
            sign = op if positive else {"and": "or", "or": "and"}[op]
            parts = [_condition(part, frame, positive) for part in (left, right)]
            return f" {sign} ".join(f"({p})" if sign == "and" and " or " in p else p for p in parts)
        case tree.Binary(op=op, left=left, right=right) if op in NEGATIONS:
            one, other = _operand(left, frame), _operand(right, frame)
            sign = op if positive else NEGATIONS[op]
            if other == "None":
                sign = {"==": "is", "!=": "is not"}[sign]
            return f"{one} {sign} {other}"
        case tree.Name():
            name = _operand(expr, frame)
            return name if positive else f"not {name}"
    raise _NotSayable


def _operand(expr: tree.Expr, frame: Frame) -> str:
    from dlspec.elaborate.evaluate import evaluate, named

    value: Any = named(expr, frame) if isinstance(expr, tree.Name) else evaluate(expr, frame)
    source = frame.source(value, expr.id if isinstance(expr, tree.Name) else None)
    if source is not None:
        return str(source)
    if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, Symbolic)):
        return repr(value)
    raise _NotSayable

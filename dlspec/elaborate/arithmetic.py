"""Arithmetic and comparison at compile time, and which operator does the same on tensors."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.values import describe
from dlspec.ir.dims import Symbolic
from dlspec.syntax.source import Span

# The operator that a sign means between tensors.
TENSOR_OPERATORS = {
    "+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floordiv", "%": "mod", "**": "pow", "@": "matmul",
    "==": "equal", "!=": "not_equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal",
    "and": "logical_and", "or": "logical_or",
}  # fmt: skip

_NUMBERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

_SIZE_OPERATORS = ("+", "-", "*", "//", "%")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "floor": math.floor, "ceil": math.ceil,
    "round": round, "abs": abs, "min": min, "max": max, "sum": sum, "len": len, "sin": math.sin, "cos": math.cos,
    "int": int,
}  # fmt: skip
"""Functions of numbers and lists, computed at compile time."""

LIST_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": len,
    "zip": lambda *lists: [list(items) for items in zip(*lists, strict=True)],
    "enumerate": lambda items: [list(pair) for pair in enumerate(items)],
}
"""Functions of lists, whatever is in them: tensors too."""
FUNCTIONS |= LIST_FUNCTIONS

REMEMBERING = frozenset({"sum", "len", "zip", "enumerate"})
"""Functions whose results remember where their parts came from (`ir.traced`)."""
ROUNDING = frozenset({"int", "floor", "ceil", "round"})
"""Functions that leave whole numbers as they are."""

MAX_INTEGER = 2**63
MAX_LIST = 100_000


def binary(op: str, left: Any, right: Any, span: Span) -> Any:
    """`left op right` for compile-time values; raises a diagnostic for values that do not fit."""
    if op in ("==", "!="):
        return _equal(left, right, span) == (op == "==")
    if op in ("and", "or"):
        return _logic(op, left, right, span)
    if op in _ORDERS:
        return _order(op, left, right, span)
    if isinstance(left, list) and isinstance(right, list) and op == "+":
        return _bounded_list(left + right, span)
    if isinstance(left, list) and _is_int(right) and op == "*":
        if len(left) * right > MAX_LIST:
            raise fail("DLS0603", f"a list of more than {MAX_LIST:,} items", span, "too long")
        return left * right
    if not (_is_number(left) and _is_number(right)):
        raise fail("DLS0209", f"`{op}` does not work on {describe(left)} and {describe(right)}", span,
                   "cannot be computed", _quotes_hint(left, right))  # fmt: skip
    return _number(op, left, right, span)


def _number(op: str, left: Any, right: Any, span: Span) -> Any:
    symbolic = isinstance(left, Symbolic) or isinstance(right, Symbolic)
    if symbolic and (op not in _SIZE_OPERATORS or isinstance(left, float) or isinstance(right, float)):
        raise fail(
            "DLS0211", f"`{op}` on {describe(left)} and {describe(right)} cannot be computed at compile time",
            span, "depends on a size that is only known when the model runs",
            "sizes can be added, subtracted, multiplied and divided by `//` and `%`",
        )  # fmt: skip
    if op == "**" and (abs(left) > 1e6 or abs(right) > 64):
        raise fail("DLS0222", f"the power {left} ** {right} is too large", span, "too large")
    try:
        result = _NUMBERS[op](left, right)
    except ZeroDivisionError:
        raise fail("DLS0210", "this divides by zero", span, "the right side is 0") from None
    except OverflowError:
        raise fail("DLS0222", f"the result of `{op}` is too large", span, "too large") from None
    if isinstance(result, complex):
        raise fail("DLS0210", f"{left} ** {right} has no real value", span, "the root of a negative number")
    too_large = abs(result) >= MAX_INTEGER if isinstance(result, int) else result in (math.inf, -math.inf)
    if too_large:
        raise fail("DLS0222", f"the result of `{op}` is too large", span, "too large")
    return result


def _quotes_hint(left: Any, right: Any) -> str | None:
    """For text of digits beside a number: leave the quotes out."""
    texts = [value for value in (left, right) if isinstance(value, str) and value.strip().isdigit()]
    return f"write `{texts[0]}`, without quotes" if texts else None


def _equal(left: Any, right: Any, span: Span) -> bool:
    if isinstance(left, Symbolic) != isinstance(right, Symbolic) and _is_number(left) and _is_number(right):
        raise _undecided("==", left, right, span)
    if isinstance(left, Symbolic) and isinstance(right, Symbolic) and left != right:
        raise _undecided("==", left, right, span)
    return bool(left == right)


def _order(op: str, left: Any, right: Any, span: Span) -> bool:
    if not (_is_number(left) and _is_number(right)):
        raise fail("DLS0209", f"`{op}` does not compare {describe(left)} and {describe(right)}", span,
                   "cannot be compared")  # fmt: skip
    if isinstance(left, Symbolic) or isinstance(right, Symbolic):
        difference = left - right
        if isinstance(difference, Symbolic):
            raise _undecided(op, left, right, span)
        left, right = difference, 0
    return _ORDERS[op](left, right)


def _undecided(op: str, left: Any, right: Any, span: Span) -> Exception:
    return fail(
        "DLS0211",
        f"`{left} {op} {right}` cannot be decided at compile time",
        span,
        "depends on a size that is only known when the model runs",
        "give the symbol a size in the model's input",
    )


def _logic(op: str, left: Any, right: Any, span: Span) -> bool:
    for value in (left, right):
        if not isinstance(value, bool):
            raise fail("DLS0209", f"`{op}` needs true or false, not {describe(value)}", span,
                       "not a condition")  # fmt: skip
    return (left and right) if op == "and" else (left or right)


def _bounded_list(items: list[Any], span: Span) -> list[Any]:
    if len(items) > MAX_LIST:
        raise fail("DLS0603", f"a list of more than {MAX_LIST:,} items", span, "too long")
    return items


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Symbolic) and not isinstance(value, bool)

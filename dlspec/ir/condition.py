"""Conditions over the variables of a block, as text: ``stride != 1 or C != 4 * planes``.

The text is an expression of Python's; it is written by the elaborator, on nodes that are there only if it holds.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

UNKNOWN = "?"
"""A condition that cannot be said over variables."""

NEGATIONS = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

_COMPARISONS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}  # fmt: skip
_ARITHMETIC: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}  # fmt: skip


def holds(condition: str, values: Mapping[str, Any]) -> bool | None:
    """Whether a condition holds for these values of the variables; None where that cannot be said."""
    try:
        return bool(_value(ast.parse(condition, mode="eval").body, values))
    except (SyntaxError, KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def names(condition: str) -> set[str]:
    """The variables in a condition."""
    return {node.id for node in ast.walk(ast.parse(condition, mode="eval")) if isinstance(node, ast.Name)}


def renamed(condition: str, code: Callable[[str], str]) -> str:
    """A condition with its variables written as `code` says."""

    class Rename(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(code(node.id), mode="eval").body

    return ast.unparse(Rename().visit(ast.parse(condition, mode="eval")))


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values[name]
        case ast.BoolOp(op=op, values=parts):
            found = [bool(_value(part, values)) for part in parts]
            return all(found) if isinstance(op, ast.And) else any(found)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, values)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            one, other = _value(left, values), _value(right, values)
            if isinstance(op, ast.Is | ast.IsNot):
                return (one is other) == isinstance(op, ast.Is)
            return _COMPARISONS[type(op)](one, other)
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, values), _value(right, values))
    raise ValueError(ast.dump(node))

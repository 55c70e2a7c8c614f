"""Pieces of Python source that know how tightly they bind, and the literals in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

TERNARY, OR, AND, NOT, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(14)
"""How tightly an expression binds; an operand that binds less needs parentheses."""

INFIX = {
    "or": OR, "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "is"), COMPARE),
    "|": BIT_OR, "^": BIT_XOR, "&": BIT_AND, "<<": SHIFT, ">>": SHIFT,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER,
}  # fmt: skip
PREFIX = {"not": NOT, "-": UNARY, "~": UNARY, "+": UNARY}

_SIMPLE = re.compile(r"-?(?:[\w.]*\w)$")


class Code(str):
    """Python source of an expression, and its binding level. Text that is not code stays a `str`."""

    level: int = ATOM

    def __new__(cls, text: str, level: int = ATOM) -> Code:
        self = super().__new__(cls, text)
        if level != ATOM:
            self.level = level
        return self

    def at(self, level: int) -> str:
        """This as an operand of something that binds as `level`."""
        return self if self.level >= level else f"({self})"


def infix(sign: str, left: Code, right: Code) -> Code:
    """`left sign right`, with parentheses only where they are needed."""
    level = INFIX[sign]
    if level == POWER:
        a, b = left.at(ATOM), right.at(UNARY)
        hug = _SIMPLE.match(a) and _SIMPLE.match(b)
        return Code(f"{a}**{b}" if hug else f"{a} ** {b}", level)
    a = left.at(level + 1 if level == COMPARE else level)
    return Code(f"{a} {sign} {right.at(level + 1)}", level)


def prefix(sign: str, operand: Code) -> Code:
    """`sign operand`."""
    level = PREFIX[sign]
    text = operand.at(ATOM if operand.level == POWER else level)
    return Code(f"{sign}{' ' if sign.isalpha() else ''}{text}", level)


def call(function: str, args: Iterable[str], kwargs: Iterable[tuple[str, str]] = ()) -> Code:
    """`function(args, keyword=value)`."""
    return Code(f"{function}({', '.join([*args, *(f'{key}={value}' for key, value in kwargs)])})")


def literal(value: Any) -> Code:
    """A plain value as Python source, by Python's own `repr`; strings in double quotes, ASCII only."""
    if isinstance(value, Code):
        return value
    if value is None or isinstance(value, bool):
        return Code(repr(value))
    if isinstance(value, int):
        return Code(repr(int(value)), UNARY if value < 0 else ATOM)
    if isinstance(value, float):
        return _float(float(value))
    if isinstance(value, str):
        return Code(quoted(value))
    if isinstance(value, (list, tuple)):
        return sequence([literal(item) for item in value], "[]" if isinstance(value, list) else "()")
    if isinstance(value, dict):
        return Code("{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}")
    raise TypeError(f"no literal for {type(value).__name__}")


def sequence(items: Sequence[str], brackets: str = "()") -> Code:
    """A tuple or list of finished pieces."""
    comma = "," if brackets == "()" and len(items) == 1 else ""
    return Code(f"{brackets[0]}{', '.join(items)}{comma}{brackets[1]}")


def quoted(text: str) -> str:
    """A string literal as `ruff format` writes it: double quotes unless that means more escapes."""
    body = str(text).encode("unicode_escape").decode("ascii")
    quote = "'" if body.count('"') > body.count("'") else '"'
    return quote + body.replace(quote, f"\\{quote}") + quote


def comment_text(text: str) -> str:
    """`text` fit for a comment or docstring: one line, printable, unable to end either."""
    flat = " ".join(str(text).split())
    safe = "".join(c if c.isprintable() else "?" for c in flat)
    return safe.replace("\\", "/").replace('"""', "'''").rstrip('"')


def _float(value: float) -> Code:
    if isfinite(value):
        text = re.sub(r"e(-?)\+?0*", r"e\1", repr(value))
        return Code(text, UNARY if text.startswith("-") else ATOM)
    name = "nan" if value != value else "inf"
    return Code(f'-float("{name}")', UNARY) if value < 0 else Code(f'float("{name}")')

"""Applying a row of the manifest to a node: the Python expression for one operator."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from dlspec.diagnostics import fail
from dlspec.emit.code import ATOM, COMPARE, INFIX, PREFIX, TERNARY, Code, call, infix, literal, prefix
from dlspec.emit.manifest import MISSING, Backend, Row, mentioned
from dlspec.emit.templates import expressions
from dlspec.passes.expressions import collapse

Source = Callable[[str], Any]
"""Gives the operand, field or fact of that name: `Code`, a list of `Code`, a plain value, or MISSING."""

_UNCOLLAPSED = ("tuple", "list")
_SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.MatMult: "@", ast.Pow: "**", ast.BitOr: "|", ast.BitAnd: "&", ast.BitXor: "^", ast.LShift: "<<",
    ast.RShift: ">>", ast.Or: "or", ast.And: "and", ast.Not: "not", ast.USub: "-", ast.Invert: "~", ast.UAdd: "+",
}  # fmt: skip


class Rows:
    """Prints rows of one backend; its templates are compiled once."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._environment = expressions(backend.values)
        self._templates: dict[str, Any] = {}
        self._levels: dict[str, int] = {}
        self._mentioned: dict[str, list[str]] = {}

    def expression(self, row: Row, source: Source) -> Code:
        """The operator applied, for rows other than ``init``."""
        if row.kind == "infix":
            left, right = (_operand(source, name) for name in row.args or ("x", "y"))
            return infix(row.text, left, right)
        if row.kind == "prefix":
            return prefix(row.text, _operand(source, (row.args or ("x",))[0]))
        if row.kind == "expr" or "{{" in row.text:
            return self.template(row.text, row, source)
        if row.kind == "method":
            receiver, *args = row.args or ("x",)
            return self.call(row, source, f"{_operand(source, receiver).at(ATOM)}.{row.text}", args)
        return self.call(row, source)

    def call(self, row: Row, source: Source, function: str = "", names: Sequence[str] | None = None) -> Code:
        """``text(args, kwargs)``, without what is left out or equal to the default."""
        args = [self.value(name, source) for name in (row.args if names is None else names)]
        while args and args[-1] is None:
            args.pop()
        kwargs = []
        for keyword, entry in row.kwargs.items():
            value = self.value(entry.source, source) if isinstance(entry.source, str) else entry.source
            default = entry.default
            if isinstance(default, str) and default.startswith("="):
                default = self.value(default[1:], source)  # the same as another argument
            if value is not None and not (default is not MISSING and _equal(value, default)):
                kwargs.append((keyword, literal(value)))
        return call(function or row.text, map(literal, args), kwargs)

    def value(self, name: str, source: Source) -> Any:
        """An argument: a value as it is passed; None for an operand that was left out."""
        name, _, table = name.partition("|")
        value = source(name)
        if value is MISSING:
            raise fail("DLS0701", f"the {self.backend.name} backend asks for `{name}`, which there is not")
        if isinstance(value, (Code, type(None))):
            return value
        if table == "single":
            return value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
        if table and table not in _UNCOLLAPSED:
            return Code(self.backend.values[table][str(value)])
        return value if table else collapse(value)

    def template(self, text: str, row: Row | None, source: Source, names: tuple[str, ...] = ()) -> Code:
        """A template of the manifest over the sources that it mentions."""
        if text in ("{{ x }}", "{{ layer }}"):
            return literal(source(text[3:-3]))
        template = self._templates.get(text)
        if template is None:
            template = self._templates[text] = self._environment.from_string(text)
        if text not in self._mentioned:
            self._mentioned[text] = mentioned(text)
        context = {name: value for name in self._mentioned[text] if (value := source(name)) is not MISSING}
        rendered = template.render(context)
        if text not in self._levels:
            self._levels[text] = binding(rendered)
        return Code(rendered, self._levels[text])


def binding(text: str) -> int:
    """How tightly an expression binds, found by parsing it."""
    try:
        root = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ATOM
    if isinstance(root, (ast.BinOp, ast.BoolOp)):
        return INFIX[_SIGNS[type(root.op)]]
    if isinstance(root, ast.UnaryOp):
        return PREFIX[_SIGNS[type(root.op)]]
    if isinstance(root, ast.Compare):
        return COMPARE
    return TERNARY if isinstance(root, (ast.IfExp, ast.Lambda)) else ATOM


def _operand(source: Source, name: str) -> Code:
    return literal(source(name))


def _equal(value: Any, default: Any) -> bool:
    if isinstance(value, Code) or isinstance(default, Code):
        return isinstance(value, Code) and isinstance(default, Code) and value == default
    if isinstance(value, tuple):
        value = list(value)
    return bool(value == default and isinstance(value, bool) == isinstance(default, bool))

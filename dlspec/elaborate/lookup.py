"""What a name stands for, and what was probably meant by one that stands for nothing."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import ALIASES, closest
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import Operator, Poisoned
from dlspec.ir.op import Op
from dlspec.ir.types import DTYPES
from dlspec.ops import find_operator, operators
from dlspec.syntax import tree
from dlspec.syntax.source import Span

# Functions that the language has and that a later release will carry out.
LATER: set[str] = set()
# Made by syntax, `x[...]` and a dimension in arithmetic, not by name.
HIDDEN_OPERATORS = {"slice", "size", "pick"}


def lookup(name: str, span: Span, frame: Frame) -> Any:
    """The value of a name: the scope's first, then operators and element types."""
    try:
        return frame.scope.find(name)
    except KeyError:
        pass
    if name in DTYPES:
        return name
    cls = visible_operator(name)
    if cls is not None:
        return Operator(cls)
    if frame.scope.is_incomplete():
        raise Poisoned  # it may come from an import that failed
    if name in frame.defined:
        raise _without_value(name, span, *frame.defined[name])
    raise unknown_name(name, span, frame.scope.visible())


# Why a name has no value after the statement that would assign it, and what helps.
_NEVER = {
    tree.For: ("the `for` that assigns it has no rounds", "assign `{}` before the `for`, too"),
    tree.If: ("the branch that assigns it is not taken", "assign `{}` in every branch, or before the `if`"),
    tree.RepeatStatement: (
        "it exists inside its `repeat` only",
        "assign `{}` before the `repeat`: names from before are carried on",
    ),
}


def _without_value(name: str, span: Span, where: Span, around: tree.Statement | None) -> SpecError:
    """The error of a name that the block assigns, but not before this place."""
    kind = type(around)
    if kind not in _NEVER or where.start > span.start:
        notes = [Note(where, "defined here")]
        return SpecError(
            [Diagnostic("DLS0201", f"`{name}` is used before it is defined", span, "too early", notes)]
        )
    why, hint = _NEVER[kind]
    notes = [Note(where, "assigned here")]
    message = f"`{name}` has no value: {why}"
    return SpecError([Diagnostic("DLS0223", message, span, "no value here", notes, hint.format(name))])


def visible_operator(name: str) -> type[Op] | None:
    """The operator that users reach by this name, if there is one."""
    return None if name in HIDDEN_OPERATORS else find_operator(name)


def unknown_name(name: str, span: Span, visible: AbstractSet[str]) -> SpecError:
    """The error for a name that nothing defines, with the nearest known one."""
    if name in LATER:
        message = f"`{name}` is not supported by this version of dlspec"
        return fail("DLS0509", message, span, "not supported yet", "leave it out for now")
    known = visible | set(operators()) | set(DTYPES)
    aliases = {alias for alias, meant in ALIASES.items() if meant in known}
    guess = name if name in aliases else closest(name, sorted(known | aliases))
    hint = f"did you mean `{guess}`?" if guess else None
    if guess in aliases and guess not in known:
        meant = ALIASES[guess]
        near = name != guess and closest(name, [meant])  # a slip in the real name, not another name of it
        hint = f"did you mean `{meant}`?" if near else f"dlspec calls it `{meant}`"
    return fail("DLS0201", f"nothing is called `{name}` here", span, "unknown name", hint)

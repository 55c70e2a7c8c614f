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
from dlspec.syntax.source import Span

# Functions that the language has and that a later release will carry out.
LATER = {"grad"}
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
    later = frame.defined.get(name)
    if later is not None and later.start > span.start:
        notes = [Note(later, "defined here")]
        raise SpecError(
            [Diagnostic("DLS0201", f"`{name}` is used before it is defined", span, "too early", notes)]
        )
    raise unknown_name(name, span, frame.scope.visible())


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

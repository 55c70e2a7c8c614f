"""The parameters of blocks: their values where a block is used, and the types that restrict them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.session import Session
from dlspec.elaborate.values import BlockDefinition, BlockInstance, Layer, Poisoned, Scope, Stack, describe
from dlspec.ir.builder import Handle
from dlspec.syntax import tree
from dlspec.syntax.source import Span


def check_argument(block: str, name: str, value: Any, span: Span) -> None:
    """Refuse tensors and layers as the parameters of a block."""
    for item in value if isinstance(value, list | tuple) else ():
        check_argument(block, name, item, span)
    if isinstance(value, Handle):
        raise fail(
            "DLS0409", f"`{block}`: `{name}` is a parameter, but is given a tensor", span, "a tensor",
            f"declare `input {name}` in the block and pass the tensor as an input",
        )  # fmt: skip
    if isinstance(value, Layer | BlockInstance | Stack):
        raise fail(
            "DLS0409", f"`{block}`: `{name}` is given {describe(value)}, which has weights of its own", span,
            "an instance", "pass its name and arguments, and let the block create it",
        )  # fmt: skip


def complete_arguments(instance: BlockInstance, span: Span, session: Session) -> dict[str, Any]:
    """All parameters with their values: given, set from the command line, or the default."""
    from dlspec.elaborate.evaluate import evaluate

    definition, given = instance.definition, instance.arguments
    arguments: dict[str, Any] = {}
    scope = Scope(definition.scope)
    for param in definition.block.params:
        name = param.name.id
        override = f"{definition.name}.{name}"
        if name in given:
            value = given[name]
        elif override in session.overrides:
            session.unused_overrides.discard(override)
            value = session.overrides[override]
        elif param.default is not None:
            value = evaluate(param.default, Frame(session, scope))
        else:
            raise without_argument(definition, param, span)
        what = f"`{definition.name}`: argument `{name}`"
        check_kind(what, param.type, value, instance.spans.get(name) or _default_span(param) or span)
        arguments[name] = value
        scope.define(name, value)
    return arguments


def without_argument(definition: BlockDefinition, param: tree.Param, span: Span) -> SpecError:
    """The error for a use of a block that does not give a parameter without default."""
    name = param.name.id
    hint = f"write `{definition.name}({name} = ...)`"
    if definition.block.is_model:
        hint = f"give it a default, or `--set {definition.name}.{name}=...`"
    message = f"`{definition.name}` needs its argument `{name}`"
    note = Note(param.span, "it has no default")
    return SpecError([Diagnostic("DLS0206", message, span, "not given here", [note], hint)])


def _default_span(param: tree.Param) -> Span | None:
    return None if param.default is None else param.default.span


_KINDS: dict[str, Any] = {"int": int, "float": int | float, "bool": bool, "str": str, "list": list}
_KIND_NAMES = {
    "int": "a whole number", "float": "a number", "bool": "true or false", "str": "a string", "list": "a list",
}  # fmt: skip


def _unknown_kind(name: tree.Name) -> SpecError:
    guess = closest(name.id, list(_KINDS))
    hint = f"did you mean `{guess}`?" if guess else f"the types are {', '.join(f'`{k}`' for k in _KINDS)}"
    return fail("DLS0217", f"`{name.id}` is no type of a parameter", name.span, "unknown type", hint)


def check_kinds(names: Iterable[tree.Name | None], session: Session) -> None:
    """Report types of parameters and constants that there are not."""
    for name in names:
        if name is not None and name.id not in _KINDS:
            session.report(_unknown_kind(name))


def check_kind(what: str, kind: tree.Name | None, value: Any, span: Span) -> None:
    """`name: int` in a parameter list or a `let` restricts what may be given."""
    if kind is None:
        return
    wanted = _KINDS.get(kind.id)
    if wanted is None:
        raise Poisoned  # reported already
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind.id != "bool"):
        message = f"{what} must be {_KIND_NAMES[kind.id]}, not {describe(value)}"
        raise fail("DLS0207", message, span, f"not {_KIND_NAMES[kind.id]}")

"""Binding the arguments of a call to an operator's fields or a block's parameters."""

from __future__ import annotations

import re
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.values import describe
from dlspec.ir.builder import Handle
from dlspec.ir.dims import Dim, Symbolic
from dlspec.ir.op import INIT_DEFAULTS, Init
from dlspec.syntax import tree
from dlspec.syntax.source import Span

INIT_KINDS: tuple[str, ...] = get_args(Init.model_fields["kind"].annotation)


class Bound:
    """Arguments by field name: values, where each was written, and what gave them where that is known."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.spans: dict[str, Span] = {}
        self.sources: dict[str, Dim] = {}

    def put(self, name: str, value: Any, span: Span, source: Dim | None) -> None:
        if name in self.values:
            raise given_twice(f"argument `{name}`", span, self.spans[name])
        self.values[name], self.spans[name] = value, span
        if source is not None:
            self.sources[name] = source


def given_twice(what: str, span: Span, first: Span) -> SpecError:
    """The error for a name that stands twice in one list."""
    note = Note(first, "first here")
    return SpecError([Diagnostic("DLS0204", f"{what} is given twice", span, "again here", [note])])


def unknown_argument(what: str, name: tree.Name, known: list[str]) -> SpecError:
    """The error for a keyword that `what` does not take."""
    guess = closest(name.id, known)
    listing = ", ".join(f"`{k}`" for k in known) or "no arguments"
    hint = f"did you mean `{guess}`?" if guess else f"it takes {listing}"
    return fail("DLS0203", f"`{what}` has no argument `{name.id}`", name.span, "unknown argument", hint)


def too_many(what: str, span: Span, known: list[str]) -> SpecError:
    """The error for more positional arguments than there are."""
    listing = ", ".join(f"`{k}`" for k in known) or "none"
    return fail(
        "DLS0205",
        f"`{what}` is given too many arguments",
        span,
        "one too many",
        f"its arguments are: {listing}",
    )


def construct(cls: type[BaseModel], what: str, bound: Bound, span: Span) -> Any:
    """An instance of a pydantic class from bound arguments; its complaints become diagnostics."""
    values = {name: _plain(value) for name, value in bound.values.items()}
    misfits = [d for name in values for d in _misfit(cls, what, bound, name)]
    if misfits:
        raise SpecError(misfits)
    try:
        return cls(**values)
    except ValidationError as error:
        raise SpecError(_diagnostics(error, what, bound, span)) from None


def _misfit(cls: type[BaseModel], what: str, bound: Bound, name: str) -> list[Diagnostic]:
    """Refuse what pydantic would convert in silence: "3" or true for a number, a tensor for anything."""
    value = bound.values[name]
    leaves = _leaves(cls.model_fields[name].annotation)
    wrong = (
        (isinstance(value, str) and not leaves & {str, Any, Symbolic})
        or (isinstance(value, bool) and not leaves & {bool, Any})
        or isinstance(value, Handle)
    )
    if not wrong:
        return []
    wanted = next(text for kind, text in _WANTED.items() if kind in leaves or kind is None)
    message = f"`{what}`: argument `{name}` must be {wanted}, not {describe(value)}"
    return [Diagnostic("DLS0207", message, bound.spans[name], f"not {wanted}", hint=_unquoted(value, leaves))]


_WANTED: dict[Any, str] = {
    bool: "true or false", float: "a number", int: "a whole number", str: "a string", tuple: "a list",
    Symbolic: "a size", None: "of another kind",
}  # fmt: skip


def _unquoted(value: Any, leaves: set[Any]) -> str | None:
    """What to write for "10" where a number is wanted, or "true" where a truth value is."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    number = leaves & {int, float} and re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", text)
    return (
        f"write `{text}`, without quotes"
        if number or (bool in leaves and text in ("true", "false"))
        else None
    )


def _leaves(annotation: Any) -> set[Any]:
    arguments = get_args(annotation)
    if not arguments:
        return {annotation}
    found: set[Any] = set()
    for argument in arguments:
        found |= {str} if isinstance(argument, str) else _leaves(argument)
    return found


def _diagnostics(error: ValidationError, what: str, bound: Bound, span: Span) -> list[Diagnostic]:
    found: dict[str, Diagnostic] = {}
    problems = error.errors(include_url=False)
    missing = [str(problem["loc"][0]) for problem in problems if problem["type"] == "missing"]
    if missing:
        found[missing[0]] = _missing(what, missing, span)
    for problem in problems:
        field = str(problem["loc"][0]) if problem["loc"] else ""
        if field not in found and problem["type"] != "missing":
            found[field] = _wrong_value(problem, what, field, bound, span)
    return list(found.values())


def _missing(what: str, fields: list[str], span: Span) -> Diagnostic:
    listing = " and ".join(f"`{field}`" for field in fields)
    message = f"`{what}` needs its {'argument' if len(fields) == 1 else 'arguments'} {listing}"
    hint = f"write `{what}({', '.join(f'{field} = ...' for field in fields)})`"
    return Diagnostic("DLS0206", message, span, "not given here", hint=hint)


def _wrong_value(problem: Any, what: str, field: str, bound: Bound, span: Span) -> Diagnostic:
    """A complaint of pydantic about one field (or "", about several together) in the user's terms."""
    reason = _reason(problem)
    place = bound.spans.get(field, span)
    if not field:
        return Diagnostic("DLS0207", f"`{what}`: {reason}", place, "these do not go together")
    value = bound.values.get(field)
    given = f", not {describe(value)}" if field in bound.values else ""
    label = reason.replace("must be", "not", 1) if reason.startswith("must be") else "wrong value"
    label = label if len(label) < 40 else "none of these"
    hint = None
    if problem["type"] == "literal_error":
        label = "none of these"
        guess = closest(str(value), re.findall(r"'([^']*)'", problem["ctx"]["expected"]))
        hint = f'did you mean "{guess}"?' if guess else None
    return Diagnostic("DLS0207", f"`{what}`: argument `{field}` {reason}{given}", place, label, hint=hint)


_REASONS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a string",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a dictionary",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be one of {expected}",
}


def _reason(problem: Any) -> str:
    pattern = _REASONS.get(problem["type"])
    if pattern is not None:
        return pattern.format(**{key: _shown(v) for key, v in problem.get("ctx", {}).items()})
    text = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if text.startswith("expected "):
        return f"must be {text.removeprefix('expected ')}"
    return f"is wrong: {text[:1].lower()}{text[1:]}" if problem["loc"] else text


def _shown(limit: Any) -> Any:
    return f"{limit:g}" if isinstance(limit, float) else str(limit).replace("'", '"')


def _plain(value: Any) -> Any:
    if isinstance(value, range):
        return list(value)
    return value


def init_from_syntax(expr: tree.Expr, evaluate: Any) -> Init | None:
    """`normal(0.01)` or `zeros` as an initialiser, where an argument expects one; else None."""
    arguments: list[tree.Argument] = []
    function: tree.Expr = expr
    if isinstance(expr, tree.Call):
        function, arguments = expr.function, expr.arguments
    if not isinstance(function, tree.Name) or function.id not in INIT_KINDS:
        return None
    numbers = []
    for argument in arguments:
        value = evaluate(argument.value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise fail(
                "DLS0207",
                f"an initialiser takes numbers, not {describe(value)}",
                argument.span,
                "not a number",
            )
        numbers.append(float(value))
    return _init(function, numbers, arguments)


# What a printer cannot do without; other numbers may be left out.
_LEAST = {"constant": 1, "uniform": 2, "normal": 1, "truncated_normal": 1}


def _init(kind: tree.Name, numbers: list[float], arguments: list[tree.Argument]) -> Init:
    most = len(INIT_DEFAULTS[kind.id])
    if len(numbers) > most:
        hint = f"it takes {most or 'no'} number{'' if most == 1 else 's'}"
        raise fail(
            "DLS0205", f"`{kind.id}` is given too many arguments", arguments[most].span, "one too many", hint
        )
    made = Init(kind=kind.id, args=tuple(numbers))  # type: ignore[arg-type]
    return made.model_copy(update={"args": made.numbers}) if len(numbers) < _LEAST.get(kind.id, 0) else made

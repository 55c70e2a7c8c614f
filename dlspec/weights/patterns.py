"""Names with placeholders: ``layers.{i}.norm{n}.weight`` on one side, ``h.{i}.ln_{n + 1}`` on the other.

What a placeholder stands for is read off the first name. In the second each holds an expression of the
language over those values, the model's parameters and the mapping's tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from dlspec.diagnostics import SpecError
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.session import Session
from dlspec.elaborate.values import Scope
from dlspec.syntax import tree
from dlspec.syntax.parser import parse_text

HOLE = re.compile(r"\{([^{}]*)\}")
NOT_IN_TABLE = frozenset({"DLS0213", "DLS0319"})
"""What the language says where a list or dictionary has no such entry."""


class PatternError(ValueError):
    """A pattern that cannot be read, or an expression in it that cannot be computed."""


class NotInTable(Exception):
    """A table has no entry for this name: the rule is for others."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The regular expression of a pattern: a placeholder is what stands between dots, after letters a number."""
    seen: set[str] = set()
    made = ""
    for index, piece in enumerate(HOLE.split(pattern)):
        name = piece.strip()
        if index % 2 == 0:
            made += re.escape(piece)
        elif not name.isidentifier():
            raise PatternError(f"`{{{piece}}}` is no placeholder: on this side write a name, as in `{{i}}`")
        elif name in seen:
            made += f"(?P={name})"
        else:
            seen.add(name)
            numbered = made[-1:].isalnum() or made.endswith("_")
            made += f"(?P<{name}>{r'[0-9]+' if numbered else '[^.]+?'})"
    return re.compile(made + r"(?P<_rest>(?:\..+)?)")


def matched(pattern: str, name: str) -> tuple[dict[str, Any], str] | None:
    """What the placeholders stand for, and what of the name is left where the pattern is a layer's path.

    >>> matched("layers.{i}.norm", "layers.3.norm.weight")
    ({'i': 3}, 'weight')
    """
    found = compiled(pattern).fullmatch(name)
    if found is None:
        return None
    values = found.groupdict()
    rest = values.pop("_rest").removeprefix(".")
    return {key: int(text) if text.isdecimal() else text for key, text in values.items()}, rest


def filled(pattern: str, values: Mapping[str, Any]) -> str:
    """The pattern with its placeholders computed; raises `PatternError`, `NotInTable`.

    >>> filled("stage{i + 1}.{leaf[p]}", {"i": 3, "p": "weight", "leaf": {"weight": "gamma"}})
    'stage4.gamma'
    """
    return HOLE.sub(lambda hole: str(computed(hole[1], values)), pattern)


def computed(text: str, values: Mapping[str, Any]) -> Any:
    """The value of one expression."""
    name = text.strip()
    if name in values:
        return values[name]
    try:
        return evaluate(_expression(text), Frame(Session(), Scope(None, dict(values))))
    except SpecError as error:
        if error.diagnostics[0].code in NOT_IN_TABLE:
            raise NotInTable from None
        raise PatternError(f"`{{{text}}}`: {error.diagnostics[0].message}") from None


@cache
def _expression(text: str) -> tree.Expr:
    items = parse_text(f"let value = {text}", name="mapping").items
    if len(items) != 1 or not isinstance(items[0], tree.Let):
        raise PatternError(f"`{{{text}}}` is not one value")
    return items[0].value


def is_any_of(patterns: tuple[str, ...], name: str) -> bool:
    """Whether one of the patterns, in which ``*`` is anything, is the whole name."""
    return any(_glob(pattern).fullmatch(name) for pattern in patterns)


@cache
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))))

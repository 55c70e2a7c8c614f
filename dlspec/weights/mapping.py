"""A mapping: a TOML file that says of which tensors of a foreign file each weight of a spec is made.

docs/weights.md describes it for those who write one.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.syntax.source import Source, Span
from dlspec.weights.patterns import PatternError, compiled, matched

FRAMEWORKS = ("torch", "keras")
ABOUT = (
    "source",
    "framework",
    "models",
    "prefix",
    "endings",
    "ignore",
    "needs",
    "tables",
    "let",
    "tied",
    "weights",
)
RULE = ("from", "layout", "axis", "stack", "part", "slice", "index", "value")
PIECE = ("from", "layout", "axis", "part", "slice", "index")


@dataclass(frozen=True)
class Rule:
    """Weights whose names fit `pattern`, or lie under it, are made as `made` says (see docs/weights.md)."""

    pattern: str
    made: Table[str, Any]


@dataclass(frozen=True)
class Mapping:
    """A mapping, read and checked as far as it can be without a model.

    prefixes, endings
        what the file's names may begin with, to no effect; and what they may end in, with what is meant.
    framework
        whose conventions hold for what is not said: the names of a layer's weights and how they lie.
    needs
        parameters that the model must have been given, as the foreign model is computed so.
    tables, lets
        what expressions in braces may use: data, and expressions over a rule's placeholders.
    """

    name: str
    text: str = ""
    about: str = ""
    framework: str = "torch"
    models: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    endings: dict[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    needs: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    lets: dict[str, str] = field(default_factory=dict)
    tied: dict[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def wrong(self, message: str, key: str = "", hint: str | None = None) -> SpecError:
        """The error for a mistake in this mapping (DLS0730), at a key of it."""
        return fail("DLS0730", message, self.place(key), "in this mapping" if key else "", hint)

    def place(self, key: str) -> Span | None:
        """Where a key is written."""
        for written in (json.dumps(key), key):
            start = self.text.find(written) if key else -1
            if start >= 0:
                return Span(Source(self.name, self.text), start, start + len(written))
        return None


SAME = Mapping("the spec", rules=())
"""No mapping: the file has the names and layouts of the spec."""


def beside(spec: Path, scheme: str) -> Path:
    """The mapping meant by a name: ``huggingface`` is ``SPEC.huggingface.toml`` beside the spec; or a path."""
    path = Path(scheme)
    if path.suffix == ".toml" or path.is_file():
        found = path if path.is_file() or not spec.parent.joinpath(path).is_file() else spec.parent / path
    else:
        found = spec.with_name(f"{spec.stem}.{scheme}.toml")
    if found.is_file():
        return found
    known = schemes(spec)
    guess = closest(scheme, known)
    hint = f"did you mean `{guess}`?" if guess else None
    if not guess:
        hint = (
            f"there are {', '.join(known)}"
            if known
            else f"write one: `{spec.stem}.{{NAME}}.toml` beside the spec"
        )
    raise fail("DLS0731", f"there is no mapping `{scheme}` for `{spec.name}`", hint=hint)


def schemes(spec: Path) -> list[str]:
    """The names of the mappings beside a spec."""
    head = f"{spec.stem}."
    return sorted(p.name[len(head) : -5] for p in spec.parent.glob("*.toml") if p.name.startswith(head))


def read_mapping(path: Path) -> Mapping:
    """The mapping of a file. Raises `SpecError` (DLS0730) with every mistake that shows without a model."""
    try:
        text = path.read_text("utf-8")
        table = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise fail("DLS0730", f"cannot read the mapping `{path}`: {error}") from None
    return parse_mapping(table, str(path), text)


def parse_mapping(table: Table[str, Any], name: str = "the mapping", text: str = "") -> Mapping:
    """The mapping that a table (of a TOML file) says."""
    return _Parser(table, Mapping(name, text)).parse()


class _Parser:
    """Collects every mistake before it raises."""

    def __init__(self, table: Table[str, Any], empty: Mapping) -> None:
        self.table, self.empty = table, empty
        self.problems: list[Diagnostic] = []

    def parse(self) -> Mapping:
        table = self.table
        self._known(table, ABOUT, "a mapping", "")
        framework = table.get("framework", "torch")
        if framework not in FRAMEWORKS:
            self._problem(f"`framework` is {' or '.join(FRAMEWORKS)}, not {framework!r}", "framework")
        made = Mapping(
            self.empty.name,
            self.empty.text,
            str(table.get("source", "")),
            framework,
            self._names("models"),
            self._names("prefix"),
            self._texts("endings"),
            self._names("ignore"),
            self._dict("needs"),
            self._dict("tables"),
            self._texts("let"),
            self._texts("tied"),
            tuple(self._rule(pattern, value) for pattern, value in self._dict("weights").items()),
        )
        if "weights" not in table:
            self._problem("a mapping has a table `[weights]`", "")
        if self.problems:
            raise SpecError(self.problems)
        return made

    def _problem(self, message: str, key: str, hint: str | None = None) -> None:
        self.problems += self.empty.wrong(message, key, hint).diagnostics

    def _known(self, table: Table[str, Any], known: tuple[str, ...], what: str, key: str) -> None:
        for name in table:
            if name not in known:
                guess = closest(name, known)
                hint = f"did you mean `{guess}`?" if guess else f"there are {', '.join(known)}"
                self._problem(f"{what} has no `{name}`", key or name, hint)

    def _names(self, key: str) -> tuple[str, ...]:
        value = self.table.get(key, [])
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._problem(f"`{key}` is a list of names", key)
            return ()
        return tuple(names)

    def _dict(self, key: str) -> dict[str, Any]:
        value = self.table.get(key, {})
        if not isinstance(value, dict):
            self._problem(f"`{key}` is a table", key)
            return {}
        return value

    def _texts(self, key: str) -> dict[str, str]:
        """A table of which all values are texts."""
        table = self._dict(key)
        for name, text in table.items():
            if not isinstance(text, str):
                self._problem(f"`{name}` of `{key}` is a text in quotes", name)
        return table

    def _rule(self, pattern: str, value: Any) -> Rule:
        made = {"from": value} if isinstance(value, str) else value
        try:
            compiled(pattern)
        except PatternError as error:
            self._problem(str(error), pattern)
        if not isinstance(made, dict):
            self._problem(f"`{pattern}` is made from a name or a table such as `{{ from = ... }}`", pattern)
            return Rule(pattern, {"from": ""})
        self._check(pattern, made)
        return Rule(pattern, made)

    def _check(self, pattern: str, made: Table[str, Any]) -> None:
        """The keys of one rule, and that they go together."""
        self._known(made, RULE, f"the rule of `{pattern}`", pattern)
        if ("value" in made) == ("from" in made) or ("value" in made and len(made) > 1):
            self._problem(f"the rule of `{pattern}` has either `from` or `value` alone", pattern)
        source = made.get("from", "")
        pieces = source if isinstance(source, list) else [source]
        for piece in pieces:
            if isinstance(piece, dict) and isinstance(source, list):
                self._known(piece, PIECE, f"a part of `{pattern}`", pattern)
                piece = piece.get("from")
            if not isinstance(piece, str):
                self._problem(f"`from` of `{pattern}` is the name of a tensor or a list of such", pattern)
        if isinstance(source, list) and ("axis" in made) == ("stack" in made):
            self._problem(
                f"`{pattern}` is made from several tensors, so it says `axis` or `stack`", pattern,
                "`axis = 0` puts one after the other, `stack = 0` along a new axis",
            )  # fmt: skip
        for key, kind in (("value", (int, float, str)), ("axis", int), ("stack", int), ("layout", str)):
            if key in made and not isinstance(made[key], kind):
                self._problem(f"`{key}` of `{pattern}` cannot be {made[key]!r}", pattern)
        if isinstance(made.get("value"), str) and made["value"] != "initial":
            self._problem(f'`value` of `{pattern}` is a number, or "initial" for the spec\'s own', pattern)
        for key in ("part", "slice"):
            if key in made and not (isinstance(made[key], list) and len(made[key]) == 2):
                self._problem(f"`{key}` of `{pattern}` is two numbers", pattern)


def rule_for(mapping: Mapping, name: str) -> list[tuple[Rule, dict[str, Any], str]]:
    """The rules that fit a weight's name, in their order; with what their placeholders stand for, and the rest."""
    found = ((rule, matched(rule.pattern, name)) for rule in mapping.rules)
    return [(rule, *match) for rule, match in found if match is not None]

"""A mapping applied to a model: how each of its weights is made, as recipes over the names of foreign tensors."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Any

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.ir.graph import Program, Weight
from dlspec.ir.paths import under
from dlspec.weights import layout as layouts
from dlspec.weights.layout import Layout, LayoutError
from dlspec.weights.mapping import SAME, Mapping, Rule, rule_for
from dlspec.weights.patterns import NotInTable, PatternError, computed, filled
from dlspec.weights.recipes import INITIAL, Constant, Join, Read, Recipe
from dlspec.weights.store import listed

Conventions = Table[str, tuple[str, str | None]]
"""For weights by name: what a framework calls it in its layer (``kernel``, ``bias[1]``), and its layout there."""


@dataclass
class Plan:
    """How each weight is made, by its name.

    spare
        tensors for weights that keep their initial values: the file may have them, they are not used.
    """

    recipes: dict[str, Recipe | Constant] = field(default_factory=dict)
    spare: set[str] = field(default_factory=set)

    def leave_out(self, name: str, recipe: Recipe | Constant | None) -> None:
        """Let a weight keep its initial value."""
        self.recipes[name] = INITIAL
        self.spare |= set(recipe.sources()) if recipe else set()


INDEXED = re.compile(r"(.*)\[(\d+)\]")
WORD = re.compile(r"\w+")
HOLE = re.compile(r"\{([^{}]*)\}")


def plan(
    program: Program, model: str, mapping: Mapping, conventions: Conventions, fresh: Sequence[str] = ()
) -> Plan:
    """How each weight of the model is made, but for those under the paths `fresh`, which stay as they are drawn.

    Raises `SpecError` where the mapping does not fit the model.
    """
    weights = list(program.all_weights(program.models[model]))
    left_out = _left_out(model, weights, fresh)
    recipe = _same if mapping is SAME else _planner(program, model, mapping, conventions)
    made, without = Plan(), []
    for weight in weights:
        found = recipe(weight)
        if weight.name in left_out:
            made.leave_out(weight.name, found)
        elif found is None:
            without.append(weight.name)
        else:
            made.recipes[weight.name] = found
    if without:
        raise _no_rule(model, mapping, without)
    return made


def _same(weight: Weight) -> Recipe:
    """A file with the names and layouts of the spec."""
    return Read(weight.name)


def _left_out(model: str, weights: Sequence[Weight], fresh: Sequence[str]) -> set[str]:
    """The names of weights under some paths, each of which has any."""
    found: set[str] = set()
    for path in fresh:
        inside = under(path, (weight.name for weight in weights))
        if not inside:
            paths = {w.name.rpartition(".")[0]: None for w in weights}
            guess = closest(path, paths)
            hint = (
                f"did you mean `{guess}`?"
                if guess
                else "give the path of a layer, as `dlspec summary` shows it"
            )
            raise fail("DLS0732", f"`{model}` has no weights under `{path}`", hint=hint)
        found |= set(inside)
    return found


def _planner(
    program: Program, model: str, mapping: Mapping, conventions: Conventions
) -> Callable[[Weight], Recipe | Constant | None]:
    """What tells how a weight is made by the rules of a mapping that is for this model."""
    params = program.model(model).params
    if mapping.models and model not in mapping.models:
        known = ", ".join(f"`{name}`" for name in mapping.models)
        raise fail("DLS0732", f"`{mapping.name}` is for {known}, not for `{model}`", mapping.place("models"))
    _check_needs(model, params, mapping)
    return _Planner(mapping, {**params, **mapping.tables}, conventions).recipe


def _check_needs(model: str, params: Table[str, Any], mapping: Mapping) -> None:
    """Refuse a model that is computed in another way than the foreign one, where no shape would tell."""
    unknown = [name for name in mapping.needs if name not in params]
    if unknown:
        guess = closest(unknown[0], params)
        hint = f"did you mean `{guess}`?" if guess else f"it has {', '.join(params) or 'none'}"
        raise mapping.wrong(f"`{model}` has no parameter `{unknown[0]}`", unknown[0], hint)
    wrong = {name: value for name, value in mapping.needs.items() if params[name] != value}
    if wrong:
        told = ", ".join(f"`{n}` is {json.dumps(params[n])}, not {json.dumps(v)}" for n, v in wrong.items())
        settings = " ".join(f"--set {model}.{name}={_word(value)}" for name, value in wrong.items())
        raise fail(
            "DLS0735", f"`{model}` is not computed as the model that the weights come from: {told}",
            mapping.place(next(iter(wrong))), "needed so", f"give `{settings}`",
        )  # fmt: skip


def _word(value: Any) -> str:
    """A value as it is given on the command line."""
    text = json.dumps(value)
    return f"'{text}'" if isinstance(value, (str, list)) else text


def _no_rule(model: str, mapping: Mapping, names: list[str]) -> SpecError:
    guess = closest(names[0], [rule.pattern for rule in mapping.rules])
    hint = f"the nearest rule is `{guess}`" if guess else 'add rules to `[weights]`: `"NAME" = "THEIR.NAME"`'
    message = f"`{mapping.name}` does not say where weights of `{model}` come from: {listed(names)}"
    return SpecError([Diagnostic("DLS0732", message, hint=hint)])


class _Planner:
    def __init__(self, mapping: Mapping, values: Table[str, Any], conventions: Conventions) -> None:
        self.mapping, self.values, self.conventions = mapping, values, conventions

    def recipe(self, weight: Weight) -> Recipe | Constant | None:
        """How a weight is made, by the first rule that is for it."""
        for rule, found, rest in rule_for(self.mapping, weight.name):
            try:
                values = self._with_lets({**self.values, **found}, rule)
                return _One(self, weight.name, values, rest).made(rule.made)
            except NotInTable:
                continue
            except (PatternError, LayoutError) as error:
                raise self.mapping.wrong(f"the rule of `{rule.pattern}`: {error}", rule.pattern) from None
        return None

    def _with_lets(self, values: dict[str, Any], rule: Rule) -> dict[str, Any]:
        """The values, and those of the `let`s that a rule uses; each may use those above it."""
        lets, used = self.mapping.lets, set(WORD.findall(str(rule.made)))
        for name in reversed(lets):
            used |= set(WORD.findall(lets[name])) if name in used else set()
        for name, expression in lets.items():
            if name in used and name not in values:
                values[name] = computed(expression, values)
        return values


class _One:
    """The making of one weight by one rule."""

    def __init__(self, planner: _Planner, name: str, values: Table[str, Any], rest: str) -> None:
        self.values, self.rest = values, rest
        self.keras = planner.mapping.framework == "keras"
        self.leaf, self.native = planner.conventions.get(name, (name.rpartition(".")[2], None))

    def made(self, made: Table[str, Any]) -> Recipe | Constant:
        if "value" in made:
            return Constant(None if made["value"] == "initial" else float(made["value"]))
        if isinstance(made["from"], str):
            return self.read(made)
        parts = tuple(self.read({"from": p} if isinstance(p, str) else p) for p in made["from"])
        stacked = "stack" in made
        axis = self.number(made["stack" if stacked else "axis"])
        return Join(parts, axis, stacked, self.layout(made.get("layout")))

    def read(self, made: Table[str, Any]) -> Read:
        """One tensor: by its whole name, or of the layer that the rule names."""
        key, index = filled(made["from"], self.values), None
        if self.rest:
            key, index = self.under(key)
        written = made.get("layout")
        native = layouts.parse(self.native).inverse() if self.native else None
        return Read(
            key,
            self.number(made["index"]) if "index" in made else index,
            self.number(made.get("axis", 0)),
            self.pair(made.get("part")),
            self.pair(made.get("slice")),
            native if written is None else self.layout(written),
        )

    def under(self, layer: str) -> tuple[str, int | None]:
        """The name of this weight under a layer's foreign name; and the entry of it, where it holds several."""
        if not self.keras:
            return f"{layer}.{self.rest}", None
        indexed = INDEXED.fullmatch(self.leaf)
        path = [layer, *self.rest.split(".")[:-1], indexed[1] if indexed else self.leaf]
        return "/".join(path), int(indexed[2]) if indexed else None

    def layout(self, text: str | None) -> Layout | None:
        return layouts.parse(filled(text, self.values)) if text else None

    def number(self, written: Any) -> int:
        """A number, or the text of an expression in braces."""
        hole = HOLE.fullmatch(written) if isinstance(written, str) else None
        value = computed(hole[1], self.values) if hole else written
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise PatternError(f"{written!r} is no whole number")
        return value

    def pair(self, written: Any) -> tuple[int, int] | None:
        return None if written is None else (self.number(written[0]), self.number(written[1]))

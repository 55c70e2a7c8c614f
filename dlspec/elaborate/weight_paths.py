"""Paths to weights of a training's models, as settings of `train` name them; and `freeze`, which takes some."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dlspec.diagnostics import SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.graph import Weight
from dlspec.ir.paths import moved, under, under_any
from dlspec.ir.training import Training
from dlspec.syntax import tree

SETTINGS = ("freeze",)
EXAMPLE = 'write `freeze = [backbone]`, or `freeze = ["layers.*.norm"]`'


def frozen_paths(expr: tree.Expr | None, paths: Paths) -> tuple[str, ...]:
    """`freeze = [backbone, layers[:2]]`: paths in the models whose weights stay as they are."""
    if expr is None:
        return ()
    found: dict[str, None] = {}
    for item in expr.items if isinstance(expr, tree.List) else [expr]:
        for path in paths.of(item, EXAMPLE):
            if not under_any([path], paths.weights) - under_any(found, paths.weights):
                raise fail("DLS0552", f"what is under `{path}` is frozen already", item.span,
                           "frozen twice", "leave it out")  # fmt: skip
            found[path] = None
    return tuple(found)


def check_learning(training: Training, weights: Mapping[str, Weight], written: tree.Expr) -> None:
    """Raise `SpecError` (DLS0552) where a step has no weight left that could move."""
    alone = len(training.models) == 1
    for step in training.steps:
        learning = moved(weights, step.updates, alone)
        if learning and not moved(weights, step.updates, alone, training.freeze):
            who = f"the step `{step.name}`" if len(training.steps) > 1 else f"`train {training.name}`"
            raise fail("DLS0552", f"all weights that {who} could move are frozen", written.span,
                       "nothing is left to learn", "freeze less, or leave a whole model alone: "
                       "`models = { T: frozen(Teacher) }`")  # fmt: skip


class Paths:
    """Reads paths to the weights of a training's models, which have the names that `weights_of` gives them."""

    def __init__(self, weights: Mapping[str, Weight], models: Collection[str], frame: Frame) -> None:
        self.weights, self.frame = weights, frame
        self.alone = f"{next(iter(models))}." if len(models) == 1 else ""

    def of(self, expr: tree.Expr, example: str) -> list[str]:
        """The paths that an expression is, each of which leads to weights: of `layers[:2]` they are two."""
        paths = [expr.value] if isinstance(expr, tree.String) else self._written(expr, example)
        paths = [self._inside(path) for path in paths]
        for path in paths:
            if not under(path, self.weights):
                raise unknown_path(path, self.weights, expr)
        if not paths:
            raise fail("DLS0551", f"there is nothing at `{expr.span.text}`", expr.span, "an empty slice")
        return paths

    def _inside(self, path: str) -> str:
        """A path without the name of the only model, which the names of weights do not have."""
        if self.alone and path.startswith(self.alone) and not under(self.alone[:-1], self.weights):
            return path.removeprefix(self.alone)
        return path

    def _written(self, expr: tree.Expr, example: str) -> list[str]:
        """The paths that are written without quotes."""
        match expr:
            case tree.Name():
                return [expr.id]
            case tree.Attribute():
                return [f"{path}.{expr.name.id}" for path in self._written(expr.value, example)]
            case tree.Subscript() if len(expr.indices) == 1:
                inner = self._written(expr.value, example)
                return [found for path in inner for found in self._copies(path, expr.indices[0])]
        raise fail("DLS0505", f"`{expr.span.text}` is no path of layers or weights", expr.span, "not a path",
                   example)  # fmt: skip

    def _copies(self, path: str, index: Any) -> list[str]:
        """Copies of a block, by their numbers."""
        path = self._inside(path)
        inside = {name[len(path) + 1 :].partition(".")[0] for name in under(path, self.weights)}
        numbers = sorted(int(part) for part in inside if part.isdecimal())
        if not numbers:
            raise unknown_path(f"{path}.0", self.weights, index)
        if isinstance(index, tree.Slice):
            parts = (index.start, index.stop, index.step)
            chosen = numbers[slice(*(None if part is None else self._number(part) for part in parts))]
            return [f"{path}.{number}" for number in chosen]
        number = self._number(index)
        return [f"{path}.{numbers[number] if -len(numbers) <= number < 0 else number}"]

    def _number(self, expr: Any) -> int:
        value = evaluate(expr, self.frame)
        if isinstance(value, bool) or not isinstance(value, int):
            raise fail("DLS0505", f"a copy of a block has a whole number, not {describe(value)}", expr.span,
                       "not a whole number")  # fmt: skip
        return value


def unknown_path(path: str, names: Collection[str], expr: tree.Node) -> SpecError:
    """The error for a path that leads to no weights."""
    known = _all_paths(names)
    guess = closest(path, known)
    if guess is None:
        last = path.rpartition(".")[2]
        guess = next((each for each in known if each.rpartition(".")[2] == last), None)
    top = ", ".join(dict.fromkeys(name.partition(".")[0] for name in names))
    hint = f"did you mean `{guess}`?" if guess else f"there are weights under {top}"
    return fail("DLS0551", f"no weights are under `{path}`", expr.span, "leads to no weights", hint)


def _all_paths(names: Collection[str]) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        found.update((".".join(parts[:end]), None) for end in range(1, len(parts) + 1))
    return list(found)

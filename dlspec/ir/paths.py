"""Paths to weights, as a spec writes them: `backbone`, `layers.0.attention`, `"layers.*.norm"`, `"**.bias"`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from dlspec.ir.graph import Graph, Program, Weight
from dlspec.ir.groups import Group


def under(path: str, names: Iterable[str]) -> list[str]:
    """The names that are at a path or below it; `*` stands for one part of a name, `**` for any number of them.

    >>> under("layers.*.norm", ["layers.0.norm.weight", "layers.0.linear.weight"])
    ['layers.0.norm.weight']
    """
    pattern = _pattern(path)
    return [name for name in names if pattern.match(name)]


def under_any(paths: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """The names that are at one of some paths or below it."""
    known = list(names)
    return frozenset(name for path in paths for name in under(path, known))


@cache
def _pattern(path: str) -> re.Pattern[str]:
    *parts, last = path.split(".")
    begin = "".join(r"(?:[^.]+\.)*" if part == "**" else rf"{_part(part)}\." for part in parts)
    return re.compile(rf"{begin}{_part(last)}(?:\.|$)")


def _part(part: str) -> str:
    return r"[^.]+" if part in ("*", "**") else re.escape(part)


def weights_of(graphs: Mapping[str, Graph], models: Mapping[str, str]) -> dict[str, Weight]:
    """The weights of a training's models by their names: those of several models behind the model's name."""
    program = Program.model_construct(graphs=dict(graphs))
    found = {}
    for model, key in models.items():
        for weight in program.all_weights(key, f"{model}." if len(models) > 1 else ""):
            found[weight.name] = weight
    return found


def updated(names: Iterable[str], updates: Collection[str], alone: bool) -> list[str]:
    """The names of weights of the models that a step updates; `alone`: of a training of one, whose name is in none."""
    return [name for name in names if alone or name.partition(".")[0] in updates]


def moved(
    weights: Mapping[str, Weight], updates: Collection[str], alone: bool, frozen: Iterable[str] = ()
) -> list[str]:
    """The names of the weights that the optimizer of a step moves, where those under the paths `frozen` stay."""
    stay = under_any(frozen, weights)
    return [name for name in updated(weights, updates, alone) if weights[name].trainable and name not in stay]


def of_groups(groups: Sequence[Group], names: Iterable[str]) -> dict[str, Group]:
    """What is said of each weight that is under the path of a group: of several groups, the later one's."""
    known, found = list(names), dict[str, Group]()
    for group in groups:
        for name in under(group.path, known):
            found[name] = group.over(found.get(name, group))
    return found


def apart(groups: Sequence[Group], names: Iterable[str]) -> dict[Group, list[str]]:
    """Groups that share no weight, each with the names of its own."""
    found: dict[Group, list[str]] = {}
    for name, group in of_groups(groups, names).items():
        found.setdefault(group, []).append(name)
    return found

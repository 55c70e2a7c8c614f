"""Printing the groups of an optimizer: weights with a learning rate or a weight decay of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dlspec.elaborate.optimizers import SCHEDULED
from dlspec.emit.code import literal, quoted
from dlspec.emit.manifest import Backend
from dlspec.emit.parts import ModelParts, Part
from dlspec.ir.groups import Group
from dlspec.ir.paths import apart, moved
from dlspec.ir.training import Step, Training


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups of a step's optimizer, which share no weight.

    texts
        the expression of each.
    own
        what is said of each.
    """

    texts: tuple[str, ...] = ()
    own: tuple[Group, ...] = ()


def print_groups(training: Training, step: Step, parts: ModelParts, backend: Backend) -> Groups:
    """The groups of a step, which together have the weights that it moves and that are under the path of one."""
    names = moved(parts.weights, step.updates, len(parts.models) == 1, training.freeze)
    free, groups = frozenset(parts.weights) - {*names}, apart(step.groups, names)
    texts = [_text(group, parts.holding(own, free), backend) for group, own in groups.items()]
    return Groups(tuple(texts), tuple(groups))


def grouped_models(training: Training, parts: ModelParts, groups: Mapping[str, Groups]) -> list[str]:
    """The attributes of the models that optimizers with groups move; `groups` by step."""
    names = (name for step in training.steps if groups[step.name].own for name in step.updates)
    return list(dict.fromkeys(parts.attributes[name] for name in names))


def _text(group: Group, parts: list[Part], backend: Backend) -> str:
    keys = backend.options["groups"]
    paths = [keys["of_list"].format(path=part.path) if part.is_list else part.path for part in parts]
    said = [f"{quoted(keys['parts'])}: [{', '.join(paths)}]", *_said(group, keys)]
    return "{" + ", ".join(said) + "}"


def _said(group: Group, keys: dict[str, Any]) -> Iterator[str]:
    if group.has_rate:
        yield f"{quoted(keys['rate'])}: {literal(SCHEDULED if group.lr is None else group.lr)}"
    if group.weight_decay is not None:
        yield f'"weight_decay": {literal(group.weight_decay)}'

"""`groups = { "encoder": { lr: 1e-4 } }` of an optimizer: rates and weight decay of the weights under some paths."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.arguments import given_twice
from dlspec.elaborate.declarations import entries
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.optimizers import Written
from dlspec.elaborate.schedules import rate_of
from dlspec.elaborate.values import describe
from dlspec.elaborate.weight_paths import Paths
from dlspec.ir.groups import Group
from dlspec.ir.paths import moved, of_groups, under
from dlspec.ir.training import OptimizerSpec
from dlspec.syntax import tree

SETTINGS = ("lr", "weight_decay")
EXAMPLE = 'write `groups = { "encoder": { lr: 1e-4, weight_decay: 0 } }`'


def groups_of(
    written: Written, updates: Sequence[str], frozen: Collection[str], paths: Paths, name: str, frame: Frame
) -> tuple[Group, ...]:
    """The groups of an optimizer.

    updates
        the models that it moves.
    frozen
        paths of weights that stay as they are.
    name
        of the training.
    """
    expr = written.groups
    if expr is None:
        return ()
    if not isinstance(expr, tree.Dict) or not expr.items:
        raise fail("DLS0505", "`groups` is a dictionary of what is said of the weights under each path", expr.span,
                   "no such dictionary", EXAMPLE)  # fmt: skip
    groups = tuple(_groups(expr, written.spec, paths, name, frame))
    _check(groups, moved(paths.weights, updates, bool(paths.alone), frozen), expr)
    return groups


def _check(groups: Sequence[Group], names: Collection[str], expr: tree.Dict) -> None:
    """Raise `SpecError` (DLS0553) where a group is of no use; `names` are of what the optimizer moves."""
    for number, (group, (key, _)) in enumerate(zip(groups, expr.items, strict=True)):
        inside = under(group.path, names)
        if not inside:
            raise fail("DLS0553", f"the optimizer moves none of the weights under `{group.path}`", key.span,
                       "nothing moves here", "leave the group out")  # fmt: skip
        later = of_groups(groups[number + 1 :], inside)
        if all(name in later and later[name].over(group) == later[name] for name in inside):
            raise fail("DLS0553", f"what is said of `{group.path}` is said anew by later groups, which hold", key.span,
                       "of no use", "what is more particular comes last")  # fmt: skip


def _groups(
    expr: tree.Dict, optimizer: OptimizerSpec, paths: Paths, name: str, frame: Frame
) -> Iterator[Group]:
    places: dict[str, tree.Name] = {}
    for key, written in expr.items:
        (path,) = paths.of(tree.String(key.span, key.id), EXAMPLE)
        if path in places:
            raise given_twice(f"the group `{path}`", key.span, places[path].span)
        places[path] = key
        said = _said(path, written, optimizer, name, frame)
        if not said:
            raise fail("DLS0505", f"nothing is said of `{path}`", written.span, "empty", EXAMPLE)
        yield Group(path=path, **said)


def _said(path: str, expr: tree.Expr, optimizer: OptimizerSpec, name: str, frame: Frame) -> dict[str, Any]:
    """What a group says, as fields of `Group`."""
    said: dict[str, Any] = {}
    for key, written in entries(path, expr, SETTINGS, EXAMPLE).items():
        if key not in type(optimizer).model_fields:
            raise fail("DLS0553", f"`{type(optimizer).spec_name()}` has no `{key}`, so a group has none",
                       written.span, "of no use", "leave it out")  # fmt: skip
        if key == "lr":
            said["lr"], said["rate"] = rate_of(written, f"Rate{name}", frame)
        else:
            said[key] = evaluate(written, frame)
        if said[key] is not None or said.get("rate") is None:
            said[key] = _number(key, said[key], written)
    return said


def _number(key: str, value: Any, expr: tree.Expr) -> float:
    """A rate, which is above 0, or a decay."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value < 0 or (key == "lr" and value == 0):
        wanted = "above 0" if key == "lr" else "of at least 0"
        hint = "`freeze` is for weights that stay" if number and key == "lr" else EXAMPLE
        raise fail("DLS0505", f"`{key}` must be a number {wanted}, not {describe(value)}", expr.span,
                   f"not a number {wanted}", hint)  # fmt: skip
    return float(value)

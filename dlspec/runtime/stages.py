"""Trainings one after another: which need which, and weights handed on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlspec.diagnostics import fail
from dlspec.ir.graph import Program
from dlspec.ir.paths import under_any
from dlspec.ir.training import TrainedWeights
from dlspec.weights.store import load_weights


def stages(program: Program, name: str | None) -> list[str]:
    """The trainings to be run, in order: all of the spec, or `name` after those that it begins with."""
    if name is None:
        return list(program.trainings)
    wanted, waiting = {name}, [name]
    while waiting:
        for given in program.trainings[waiting.pop()].init_from.values():
            if isinstance(given, TrainedWeights) and given.training not in wanted:
                wanted.add(given.training)
                waiting.append(given.training)
    return [each for each in program.trainings if each in wanted]


def handed_on(program: Program, given: TrainedWeights, earlier: Mapping[str, Path]) -> dict[str, Any]:
    """The weights of a model that an earlier training ended with, but for those that are drawn anew; `earlier` are
    files by training.
    """
    path = earlier.get(given.training)
    if path is None or not path.is_file():
        raise fail("DLS0724", f"it begins with what `train {given.training}` ends with, and that has not run",
                   hint="`dlspec train` runs them in order; or give weights to begin with: `--weights`")  # fmt: skip
    arrays = load_weights(path)
    if len(program.trainings[given.training].models) > 1:
        head = f"{given.model}."
        arrays = {name.removeprefix(head): array for name, array in arrays.items() if name.startswith(head)}
    fresh = under_any(given.fresh, arrays)
    return {name: array for name, array in arrays.items() if name not in fresh}

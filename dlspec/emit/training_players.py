"""Printing what a training says about several models: steps that are rarer than others, models that follow others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dlspec.emit.code import literal
from dlspec.emit.function import Function
from dlspec.emit.manifest import Backend
from dlspec.ir.graph import Program
from dlspec.ir.training import PROGRESS, Training

FOLLOW = "follow"
"""The helper that moves weights part of the way."""


def player_settings(
    training: Training, attributes: Mapping[str, str], keys: Mapping[str, str]
) -> dict[str, Any]:
    """What the template of ``train.py`` is told; `attributes` by model, `keys` of losses by step, as text."""
    rare = {keys[step.name]: step.every for step in training.steps if step.every > 1}
    return {
        "copies": [
            {
                "source": attributes[copy.source],
                "target": attributes[copy.target],
                "every": copy.every and literal(copy.every),
                "rate": copy.rate and literal(copy.rate),
            }
            for copy in training.copies
        ],
        "rare": "{" + ", ".join(f"{key}: {count}" for key, count in rare.items()) + "}" if rare else "",
    }


def counts_updates(training: Training) -> bool:
    """Whether it depends on the number of an update what is done."""
    return any(step.every > 1 for step in training.steps) or any(copy.every for copy in training.copies)


def beside_frozen(program: Program, key: str, backend: Backend) -> Backend:
    """The backend of a step: where one of its models is frozen, each is told in which mode it is."""
    if not any(node.frozen for node in program.graphs[key].nodes):
        return backend
    return replace(backend, options={**backend.options, "calls": backend.options.get("beside_frozen", {})})


def needs_of_copies(training: Training) -> list[str]:
    """The snippets that its copies need."""
    return [FOLLOW] if any(copy.rate for copy in training.copies) else []


def reads_progress(program: Program, training: Training) -> bool:
    """Whether a step asks how far the training is."""
    names = {value.name for step in training.steps for value in program.graphs[step.graph].inputs}
    return PROGRESS in names and PROGRESS not in program.data[training.data].columns


def with_progress(function: Function, program: Program, training: Training, backend: Backend) -> Function:
    """A printed step that takes `progress` from the class, not from the batch."""
    if PROGRESS not in function.columns or not reads_progress(program, training):
        return function
    columns = {name: variable for name, variable in function.columns.items() if name != PROGRESS}
    line = f"{function.columns[PROGRESS]} = {backend.options[PROGRESS]}"
    return replace(function, columns=columns, lines=(line, *function.lines))

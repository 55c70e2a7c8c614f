"""Printing how a step moves the weights: rates that change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dlspec.emit.code import quoted
from dlspec.emit.function import print_function
from dlspec.emit.manifest import Backend, load_backend
from dlspec.ir.graph import Program
from dlspec.ir.training import Step, Training

# What a schedule counts, as the class `Training` knows it.
COUNTS = {
    "step": "self.updates",
    "steps": "self.total",
    "epoch": "self.updates // self.length",
    "progress": "self.updates / self.total",
}
SETS = {
    "torch": 'for group in self.optimizers[{key}].param_groups:\n    group["lr"] = {rate}',
    "keras": "optimizer = self.steps[{key}].optimizer\noptimizer.learning_rate = {rate}",
}


def rule_settings(program: Program, training: Training, backend: Backend) -> dict[str, Any]:
    """What the template of ``train.py`` is told."""
    used = {name for key in graphs(training) for name in counts(program, key)}
    return {
        "clock": {"total": bool(used & {"steps", "progress"}), "length": "epoch" in used} if used else {},
        "rates": "\n".join(_rates(program, training, backend)),
    }


def graphs(training: Training) -> list[str]:
    """The graphs that know of the time."""
    return [step.rate for step in training.steps if step.rate is not None]


def counts(program: Program, key: str) -> list[str]:
    """What a graph reads of the time."""
    return [value.name for value in program.graphs[key].inputs if value.name in COUNTS]


def _rates(program: Program, training: Training, backend: Backend) -> Iterator[str]:
    known: set[str] = set()
    for step in training.steps:
        if step.rate is not None:
            function = print_function(program, step.rate, load_backend("python"))
            for name, variable in function.columns.items():
                if variable not in known:
                    known.add(variable)
                    yield f"{variable} = {COUNTS[name]}"
            yield from function.lines
            yield SETS[backend.name].format(key=quoted(_key(training, step)), rate=function.results["rate"])


def _key(training: Training, step: Step) -> str:
    return "loss" if len(training.steps) == 1 else step.name

"""Printing how a step moves the weights: rates that change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlspec.emit.code import literal, quoted
from dlspec.emit.function import print_function
from dlspec.emit.groups import Groups
from dlspec.emit.manifest import Backend, load_backend
from dlspec.emit.training_players import counts_updates, reads_progress
from dlspec.ir.graph import Program
from dlspec.ir.training import PROGRESS, Step, Training

# What a schedule counts, as the class `Training` knows it.
COUNTS = {
    "step": "self.updates",
    "steps": "self.total",
    "epoch": "self.updates // self.length",
    "progress": "self.updates / self.total",
}


def rule_settings(
    program: Program, training: Training, backend: Backend, groups: Mapping[str, Groups]
) -> dict[str, Any]:
    """What the template of ``train.py`` is told; `groups` of optimizers by step."""
    used = {name for key in graphs(training) for name in counts(program, key)}
    progress = reads_progress(program, training)
    used |= {PROGRESS} if progress else set()
    scaled = backend.options.get("scaled_bound") if training.precision == "fp16" else None
    return {
        "progress": progress,
        "updates": bool(used) or counts_updates(training) or training.log is not None,
        "steps_log": training.log,
        "logged_rates": "\n".join(_logged_rates(training, backend)),
        "clock_total": bool(used & {"steps", "progress"}),
        "clock_length": "epoch" in used,
        "rates": "\n".join(_Rates(program, training, backend, groups).lines()),
        "pieces": literal(training.batch_size) if training.accumulate > 1 else "",
        "ema": literal(round(1 - training.ema, 12)) if training.ema else "",
        "clip": "".join(
            backend.options[f"clip_{name}"].format(bound=scaled.format(bound=bound) if scaled else bound)
            for name, bound in _bounds(training)
        ),
    }


def update_helpers(training: Training, backend: Backend) -> dict[str, str]:
    """What the file must define for updates, beside optimizers: files of ``optimizers/``."""
    scaled = "_scaled" if training.precision == "fp16" else ""
    names = [f"clip_{name}" for name, _ in _bounds(training)]
    folder = backend.folder / "optimizers"
    files = {name: [folder / f"{name}{end}.py" for end in (scaled, "")] for name in names}
    found = {name: next((file for file in each if file.is_file()), None) for name, each in files.items()}
    return {name: file.read_text("utf-8").strip() for name, file in found.items() if file}


def _bounds(training: Training) -> list[tuple[str, str]]:
    """What is clipped, norm or value, and to what."""
    bounds = {} if training.clip is None else training.clip.model_dump(exclude_none=True)
    return [(name, str(literal(bound))) for name, bound in bounds.items()]


def graphs(training: Training) -> list[str]:
    """The graphs that know of the time."""
    return [key for step in training.steps for key in step.rates]


def counts(program: Program, key: str) -> list[str]:
    """What a graph reads of the time."""
    return [value.name for value in program.graphs[key].inputs if value.name in COUNTS]


def _logged_rates(training: Training, backend: Backend) -> Iterator[str]:
    """What adds the learning rate of each step to `line`."""
    for step in training.steps:
        name = "rate" if len(training.steps) == 1 else f"{step.name}_rate"
        value = backend.options["logged_rate"].format(key=quoted(training.loss_key(step.name)))
        yield f"line[{quoted(name)}] = {value}"


class _Rates:
    """The lines that set the learning rates of the next update."""

    def __init__(
        self, program: Program, training: Training, backend: Backend, groups: Mapping[str, Groups]
    ) -> None:
        self.program, self.training, self.backend, self.groups = program, training, backend, groups
        self.known: set[str] = set()

    def lines(self) -> Iterator[str]:
        """Those of all steps, each for all weights and then for groups that have rates of their own."""
        for step in self.training.steps:
            optimizer: Any = step.optimizer
            always = bool(step.rate or self.training.plateau)
            if always:
                yield from self._set(step, self.backend.options["rate"], optimizer.lr, step.rate)
            own = self.groups[step.name].own
            for place, group in enumerate(own):
                if group.rate or (group.has_rate and always):
                    at = {"place": place, "number": place + 1, "count": len(own) + 1}
                    yield from self._set(step, self._form(optimizer), group.lr, group.rate, **at)

    def _form(self, optimizer: Any) -> str:
        """How the rate of a group is set."""
        kinds = {
            "group_rate_scaled": self.training.precision == "fp16",
            "group_rate_twice": getattr(optimizer, "decay", "") == "matrices",
            "group_rate": True,
        }
        options = self.backend.options
        return next(str(options[name]) for name, on in kinds.items() if on and name in options)

    def _set(
        self, step: Step, form: str, constant: float | None, changing: str | None, **at: int
    ) -> Iterator[str]:
        factor = " * self.factor" if self.training.plateau else ""
        rate = str(literal(constant))
        if changing is not None:
            function = print_function(self.program, changing, load_backend("python"))
            for name, variable in function.columns.items():
                if variable not in self.known:
                    self.known.add(variable)
                    yield f"{variable} = {COUNTS[name]}"
            yield from function.lines
            rate = function.results["rate"]
            rate = f"({rate})" if factor and not rate.isidentifier() else rate
        yield form.format(key=quoted(self.training.loss_key(step.name)), rate=f"{rate}{factor}", **at)

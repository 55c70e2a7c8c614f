"""What training means, in NumPy: the rule of every update, exactly. Printed code is tested against it.

It is given gradients, and says what becomes of the weights; it is written to be right, not fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from dlspec.ir.graph import Program
from dlspec.ir.paths import of_groups, under_any
from dlspec.ir.training import Clip, Step
from dlspec.ops.optimizers import Optimizer
from dlspec.runtime.interpreter import run

Arrays = dict[str, Any]


def trained(
    program: Program,
    name: str,
    weights: Mapping[str, Any],
    batches: Sequence[Arrays],
    gradients: Callable[[Arrays, Arrays], Arrays],
    per_epoch: int = 1,
) -> tuple[Arrays, Arrays]:
    """The weights, and their averages, after an update by each batch, in the training `name` of one step.

    gradients
        of the loss by each weight, from weights and a batch of the size that an update has.
    per_epoch
        how many updates an epoch has.
    """
    training = program.trainings[name]
    (step,) = training.steps
    moved = {key: np.asarray(value, np.float64) for key, value in weights.items()}
    optimizer: Any = step.optimizer
    states = {key: optimizer.init_state(weight) for key, weight in moved.items()}
    averages: Arrays = {}
    moving = moved.keys() - under_any(training.freeze, moved)
    for count, batch in enumerate(batches):
        found = clipped(training.clip, {k: g for k, g in gradients(moved, batch).items() if k in moving})
        rules = at_rates(program, step, moving, count, len(batches), per_epoch)
        for key, weight in ((key, moved[key]) for key in moving):
            rule = rules[key].of(weight)
            moved[key] = rule.update(weight, found[key], states[key], count)
        for key, weight in moved.items():
            before = averages.get(key, weight)
            averages[key] = before + (1 - (training.ema or 0.0)) * (weight - before)
    return moved, averages


def at_rates(
    program: Program, step: Step, names: Iterable[str], count: int, total: int, per_epoch: int
) -> dict[str, Optimizer]:
    """The optimizer of each weight at update `count` of `total`, counted from 0: its learning rate and its decay."""
    optimizer: Any = step.optimizer
    clock = {"step": count, "steps": total, "epoch": count // per_epoch, "progress": count / total}
    known = {name: np.array(value, np.float64) for name, value in clock.items()}

    def changed(rule: Any, constant: float | None, rate: str | None, decay: float | None) -> Any:
        found = {"lr": constant, "weight_decay": decay}
        if rate is not None:
            found["lr"] = float(run(program, rate, known, {}, double=True)["rate"])
        return rule.model_copy(update={name: value for name, value in found.items() if value is not None})

    every = changed(optimizer, None, step.rate, None)
    own = of_groups(step.groups, names)
    return {
        name: changed(every, own[name].lr, own[name].rate, own[name].weight_decay) if name in own else every
        for name in names
    }


def clipped(clip: Clip | None, gradients: Arrays) -> Arrays:
    """The gradients, bounded."""
    if clip is None:
        return gradients
    if clip.value is not None:
        return {key: np.clip(each, -clip.value, clip.value) for key, each in gradients.items()}
    assert clip.norm is not None
    norm = np.sqrt(sum((each**2).sum() for each in gradients.values()))
    return {key: each * min(1.0, clip.norm / (norm + 1e-6)) for key, each in gradients.items()}

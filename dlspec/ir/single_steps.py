"""Which trainings must come back to Python after every step, so that no compiled call may do several."""

from __future__ import annotations

from collections.abc import Mapping

from dlspec.ir.graph import Graph
from dlspec.ir.training import PROGRESS, Training


def single_steps(training: Training, graphs: Mapping[str, Graph]) -> str:
    """What of the training is done between two steps, in words; empty where that is nothing."""
    inputs = {value.name for step in training.steps for value in graphs[step.graph].inputs}
    reasons = {
        "plays in a world": training.policy is not None,
        "adds up the gradients of several batches (`accumulate`)": training.accumulate > 1,
        "compiles its steps one by one (`compile`)": training.compile,
        "has a learning rate that changes": training.plateau is not None
        or any(step.rates for step in training.steps),
        "has steps that are done more rarely (`every`)": any(step.every > 1 for step in training.steps),
        "has models that follow others (`copy`)": bool(training.copies),
        "averages weights (`ema`)": training.ema is not None,
        "writes a line every few updates (`log`)": training.log is not None,
        "asks in a step for the `progress`": PROGRESS in inputs,
        "has checkpoints within an epoch": training.checkpoint is not None
        and training.checkpoint.steps is not None,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")

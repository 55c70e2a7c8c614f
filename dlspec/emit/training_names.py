"""Names in ``train.py``: what it has for itself, and what its models and losses are called beside that."""

from __future__ import annotations

from dlspec.emit.manifest import Backend
from dlspec.emit.names import KEYWORDS, Names, identifier
from dlspec.ir.training import Training
from dlspec.ops.optimizers import optimizers

USED = frozenset({
    "BATCH_SIZE", "DEVICE", "EPOCHS", "SEED", "Any", "Batch", "Callable", "Iterable", "Path", "Place", "Save", "Step",
    "DDP", "processes",
    "PIECE", "pieces", "Tensor", "Training", "argparse", "best_epoch", "checkpoints", "data", "dataclass", "field",
    "itertools", "json", "main", "math", "means", "models", "tensors", "time", "train", "weights",
    "MAX_STEPS", "steps_of_epoch", "MEANS", "ROWS", "metrics", "np", "over_all", "plateau_factor",
    "STEPS", "blocks", "Iterator",
})  # fmt: skip
"""Names that the file has for itself, beside those of optimizers and helpers."""

METHODS = frozenset({
    "loss", "losses", "metrics", "optimizers", "steps", "measure", "every", "factor", "log", "progress",
    "updates", "parts", "tensors", "train_step", "train_epoch", "evaluate", "state", "restore", "variables",
    "total", "length", "set_rates", "average", "averaged", "averages", "exchange", "follow", "move_averages",
    "block", "steps_of_block",
})  # fmt: skip
"""Attributes that the class `Training` has for itself."""


def attribute_names(training: Training, backend: Backend) -> dict[str, str]:
    """The attribute of the class `Training` that holds each model."""
    names = Names({*KEYWORDS, *backend.attributes, *taken_names(training)})
    return {name: names(name, identifier(name.lstrip("_"), KEYWORDS)) for name in training.models}


def taken_names(training: Training) -> set[str]:
    """What no model may be called: methods, and names that the constructor needs."""
    classes = {optimizer.spec_name() for optimizer in optimizers().values()}
    return {*METHODS, *USED, *classes, *loss_methods(training).values(), "keras", "torch"}


def loss_methods(training: Training) -> dict[str, str]:
    """The method that computes the loss of each step."""
    if len(training.steps) == 1:
        return {training.steps[0].name: "loss"}
    names = Names({*METHODS, *USED})
    return {step.name: names(step.name, f"{identifier(step.name)}_loss") for step in training.steps}

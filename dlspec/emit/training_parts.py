"""Printing what a training says about parts of its models: what is frozen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dlspec.emit.parts import ModelParts
from dlspec.ir.paths import under_any, updated
from dlspec.ir.training import Step, Training


def frozen_settings(training: Training, parts: ModelParts) -> dict[str, Any]:
    """What the template of ``train.py`` is told; what is empty is not on.

    frozen
        the models that are frozen as a whole.
    freeze
        the parts of others, and the models (`single`) of which single weights are.
    inference
        the models that compute in inference mode, and the parts whose norms do (`norms_of`).
    """
    frozen, at = [parts.attributes[name] for name in training.frozen], parts.at(training.freeze)
    norms_of = [part.path for part in at if part.averages]
    single = list(dict.fromkeys(part.path.partition(".")[0] for part in at if part.is_weight))
    return {
        "frozen": frozen,
        "freeze": {"parts": at, "single": single} if at else None,
        "inference": {"models": frozen, "norms_of": norms_of} if frozen or norms_of else None,
    }


def joined(lists: Iterable[str]) -> str:
    """The expression of a list of all that some lists have, which are expressions."""
    return f"[{', '.join(f'*{each}' for each in lists)}]"


def parameters(training: Training, parts: ModelParts, step: Step) -> str:
    """PyTorch's parameters that a step moves, as an expression."""
    each = [f"{parts.attributes[name]}.parameters()" for name in step.updates]
    every = each[0] if len(each) == 1 else joined(each)
    frozen = under_any(training.freeze, parts.weights)
    some = updated(frozen, step.updates, len(parts.models) == 1)
    return f"[p for p in {every} if p.requires_grad]" if some else every

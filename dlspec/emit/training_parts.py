"""Printing what a training says about parts of its models: what is frozen."""

from __future__ import annotations

from typing import Any

from dlspec.emit.parts import ModelParts
from dlspec.ir.paths import under_any
from dlspec.ir.training import Step, Training


def freeze_settings(training: Training, parts: ModelParts) -> dict[str, Any] | None:
    """What the template of ``train.py`` is told; None where nothing is frozen.

    averages
        the parts that have running statistics.
    single
        the models of which single weights are frozen.
    """
    frozen = parts.at(training.freeze)
    if not frozen:
        return None
    return {
        "parts": frozen,
        "averages": [part.path for part in frozen if part.averages],
        "single": list(dict.fromkeys(part.path.partition(".")[0] for part in frozen if part.is_weight)),
    }


def parameters(training: Training, parts: ModelParts, step: Step) -> str:
    """PyTorch's parameters that a step moves, as an expression."""
    each = [f"{parts.attributes[name]}.parameters()" for name in step.updates]
    every = each[0] if len(each) == 1 else f"[{', '.join(f'*{text}' for text in each)}]"
    frozen = under_any(training.freeze, parts.weights)
    own = (name for name in frozen if len(parts.models) == 1 or name.partition(".")[0] in step.updates)
    return f"[p for p in {every} if p.requires_grad]" if any(own) else every

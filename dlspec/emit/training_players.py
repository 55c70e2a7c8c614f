"""Printing what a training says about several models: steps that are rarer than others, models that follow others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.emit.code import literal
from dlspec.ir.training import Training

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
        "counted": bool(rare) or any(copy.every for copy in training.copies),
    }


def needs_of_copies(training: Training) -> list[str]:
    """The snippets that its copies need."""
    return [FOLLOW] if any(copy.rate for copy in training.copies) else []

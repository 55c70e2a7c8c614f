"""Settings of `train` about speed: `precision`, `compile`, `channels_last`, `pool_first`."""

from __future__ import annotations

from functools import partial
from typing import Any

from dlspec.elaborate.declarations import Settings, one_word
from dlspec.elaborate.frame import Frame
from dlspec.ir.training import PRECISIONS

SETTINGS = ("precision", "compile", "channels_last", "pool_first")


def speed_settings(settings: Settings, frame: Frame) -> dict[str, Any]:
    """The fields of `Training` that these settings give; those that the spec leaves open are left out."""
    attempt = settings.attempt
    return {
        "precision": attempt(partial(_precision, settings)),
        "compile": bool(attempt(partial(settings.flag, "compile", frame))),
        "channels_last": attempt(partial(settings.flag, "channels_last", frame)),
        "pool_first": attempt(partial(settings.flag, "pool_first", frame)),
    }


def _precision(settings: Settings) -> str:
    return one_word("precision", settings.get("precision"), "f32", list(PRECISIONS))

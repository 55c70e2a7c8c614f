"""Settings of `train` about speed: `precision`, `compile`, `channels_last`, `pool_first`."""

from __future__ import annotations

from functools import partial
from typing import Any

from dlspec.diagnostics import fail
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
    """`fp16` scales its losses, and what clips or adds up gradients would see them scaled."""
    expr = settings.get("precision")
    found = one_word("precision", expr, "f32", list(PRECISIONS))
    for name in ("clip", "accumulate"):
        if found == "fp16" and expr is not None and name in settings.values:
            raise fail("DLS0510", f"`{name}` is set beside `precision = fp16`, whose gradients are scaled",
                       expr.span, f"cannot be joined with `{name}` yet", "write `precision = bf16`")  # fmt: skip
    return found

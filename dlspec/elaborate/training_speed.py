"""Settings of `train` about speed: `precision`, `compile`, `channels_last`."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.declarations import Settings, one_word
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.training import PRECISIONS
from dlspec.syntax import tree

SETTINGS = ("precision", "compile", "channels_last")


def speed_settings(settings: Settings, frame: Frame) -> dict[str, Any]:
    """The fields of `Training` that these settings give; those that the spec leaves open are left out."""
    get, attempt = settings.get, settings.attempt
    return {
        "precision": attempt(lambda: _precision(settings)),
        "compile": bool(attempt(lambda: _switch("compile", get("compile"), frame))),
        "channels_last": attempt(lambda: _switch("channels_last", get("channels_last"), frame)),
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


def _switch(name: str, expr: tree.Expr | None, frame: Frame) -> bool | None:
    value = None if expr is None else evaluate(expr, frame)
    if expr is not None and not isinstance(value, bool):
        raise fail("DLS0505", f"`{name}` must be true or false, not {describe(value)}", expr.span,
                   "neither true nor false", f"write `{name} = true`")  # fmt: skip
    return value

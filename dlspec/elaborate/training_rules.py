"""Settings of `train` about every update, whatever the optimizer: `clip`, `accumulate`, `ema`."""

from __future__ import annotations

from functools import partial
from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.declarations import Settings
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.training import Clip
from dlspec.syntax import tree

SETTINGS = ("clip", "accumulate", "ema")
CLIP = "write `clip = { norm: 1.0 }` or `clip = { value: 0.5 }`"


def update_settings(settings: Settings, frame: Frame) -> dict[str, Any]:
    """The fields of `Training` that these settings give."""
    attempt = settings.attempt
    return {
        "clip": attempt(partial(clip, settings.get("clip"), frame)),
        "accumulate": attempt(partial(settings.whole, "accumulate", 1, frame)),
        "ema": attempt(partial(ema, settings.get("ema"), frame)),
    }


def clip(expr: tree.Expr | None, frame: Frame) -> Clip | None:
    """`clip = { norm: 1.0 }`, over all gradients of an optimizer together, or `{ value: 0.5 }`, each for itself."""
    if expr is None:
        return None
    if not isinstance(expr, tree.Dict) or len(expr.items) != 1:
        raise fail("DLS0505", "`clip` must say what is bounded: the norm or each value", expr.span,
                   "neither", CLIP)  # fmt: skip
    name, written = expr.items[0]
    if name.id not in Clip.model_fields:
        guess = closest(name.id, list(Clip.model_fields))
        raise fail("DLS0505", f"`clip` bounds the `norm` or each `value`, not `{name.id}`", name.span,
                   "neither", f"did you mean `{guess}`?" if guess else CLIP)  # fmt: skip
    value: Any = evaluate(written, frame)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise fail("DLS0505", f"`clip` must be a number above 0, not {describe(value)}", written.span,
                   "not above 0", CLIP)  # fmt: skip
    return Clip(**{name.id: float(value)})


def ema(expr: tree.Expr | None, frame: Frame) -> float | None:
    """`ema = 0.999`: what is kept of the averages in every update."""
    if expr is None:
        return None
    value: Any = evaluate(expr, frame)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise fail("DLS0505", f"`ema` must be a number between 0 and 1, not {describe(value)}", expr.span,
                   "not between 0 and 1", "write `ema = 0.999`")  # fmt: skip
    return float(value)

"""Settings of `train` about long runs: `checkpoint`, `early_stopping`, `keep_best`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.declarations import Settings
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.training import Best, Checkpoints
from dlspec.syntax import tree

SETTINGS = ("checkpoint", "early_stopping", "keep_best")

EXAMPLES = {
    "checkpoint": "write `checkpoint = { epochs: 1, keep: 2 }`, or `{ steps: 500 }`",
    "early_stopping": "write `early_stopping = { metric: val_loss, patience: 5 }`",
    "keep_best": "write `keep_best = { metric: val_loss }`",
}


def run_settings(
    settings: Settings, frame: Frame, losses: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    """The fields of `Training` that these settings give; `losses` and `metrics` are what every epoch has."""
    get, attempt = settings.get, settings.attempt
    return {
        "checkpoint": attempt(lambda: checkpoints(get("checkpoint"), frame)),
        "best": attempt(lambda: best(get("early_stopping"), get("keep_best"), frame, losses, metrics)),
    }


def checkpoints(expr: tree.Expr | None, frame: Frame) -> Checkpoints | None:
    """`checkpoint = { epochs: 1, keep: 2 }`, or `{ steps: 500 }`: when, and how many are kept."""
    if expr is None:
        return None
    given = _entries("checkpoint", expr, ("epochs", "steps", "keep"))
    if "epochs" in given and "steps" in given:
        raise fail("DLS0505", "`checkpoint` is every so many epochs or every so many steps, not both",
                   given["steps"].span, "beside `epochs`", EXAMPLES["checkpoint"])  # fmt: skip
    numbers = {name: _whole(f"checkpoint.{name}", value, frame) for name, value in given.items()}
    return Checkpoints(**({} if "steps" in numbers else {"epochs": 1}) | numbers)


def best(
    stopping: tree.Expr | None,
    keeping: tree.Expr | None,
    frame: Frame,
    losses: Sequence[str],
    metrics: Sequence[str],
) -> Best | None:
    """`early_stopping = { metric: val_loss, patience: 5, min_delta: 0, goal: min }`, or `keep_best` without patience.

    losses, metrics
        what every epoch has, in training and measured on the split held out.
    """
    if stopping is not None and keeping is not None:
        raise fail("DLS0505", "`early_stopping` keeps the best weights already", keeping.span,
                   "one of the two is enough", "leave `keep_best` out")  # fmt: skip
    expr, name = (keeping, "keep_best") if stopping is None else (stopping, "early_stopping")
    if expr is None:
        return None
    known = ("metric", "goal", "min_delta", *(["patience"] if stopping is not None else []))
    given = _entries(name, expr, known)
    chosen = _metric(name, expr, given, losses, metrics)
    if "min_delta" in given:
        chosen["min_delta"] = _amount(f"{name}.min_delta", given["min_delta"], frame)
    if stopping is not None:
        patience = given.get("patience")
        chosen["patience"] = 5 if patience is None else _whole(f"{name}.patience", patience, frame)
    return Best(**chosen)


def _metric(
    setting: str, expr: tree.Expr, given: dict[str, tree.Expr], losses: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    """What is best: a loss should be small; of anything else the spec says so."""
    if "metric" not in given:
        raise fail("DLS0503", f"`{setting}` does not say its `metric`", expr.span,
                   f"one of {', '.join([*losses, *metrics])}", EXAMPLES[setting])  # fmt: skip
    metric = _word(given["metric"])
    if metric not in (*losses, *metrics):
        guess = closest(given["metric"].span.text, [*losses, *metrics])
        hint = f"did you mean `{guess}`?" if guess else f"an epoch has {', '.join([*losses, *metrics])}"
        raise fail("DLS0505", f"`{given['metric'].span.text}` is nothing that an epoch has",
                   given["metric"].span, "unknown metric", hint)  # fmt: skip
    if "goal" not in given:
        if metric in losses:
            return {"metric": metric}
        raise fail("DLS0503", f"`{setting}` does not say whether `{metric}` should be large or small",
                   given["metric"].span, "no loss", "add `goal: max` or `goal: min`")  # fmt: skip
    goal = _word(given["goal"])
    if goal not in ("min", "max"):
        raise fail("DLS0505", f"`{setting}.goal` must be `min` or `max`, not `{given['goal'].span.text}`",
                   given["goal"].span, "not `min` or `max`")  # fmt: skip
    return {"metric": metric, "goal": goal}


def _entries(setting: str, expr: tree.Expr, known: Sequence[str]) -> dict[str, tree.Expr]:
    """The entries of a dictionary, each at most once and known."""
    if not isinstance(expr, tree.Dict):
        raise fail(
            "DLS0505", f"`{setting}` must be a dictionary", expr.span, "not a dictionary", EXAMPLES[setting]
        )
    found: dict[str, tree.Expr] = {}
    for name, value in expr.items:
        if name.id not in known:
            guess = closest(name.id, list(known))
            hint = f"did you mean `{guess}`?" if guess else EXAMPLES[setting]
            raise fail("DLS0501", f"`{setting}` has no entry `{name.id}`", name.span, "unknown entry", hint)
        if name.id in found:
            raise fail("DLS0412", f"`{name.id}` is set twice", name.span, "again here")
        found[name.id] = value
    return found


def _word(expr: tree.Expr) -> str | None:
    return expr.id if isinstance(expr, tree.Name) else expr.value if isinstance(expr, tree.String) else None


def _whole(name: str, expr: tree.Expr, frame: Frame) -> int:
    value: Any = evaluate(expr, frame)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fail("DLS0505", f"`{name}` must be a whole number of at least 1, not {describe(value)}",
                   expr.span, "not 1 or more")  # fmt: skip
    return value


def _amount(name: str, expr: tree.Expr, frame: Frame) -> float:
    value: Any = evaluate(expr, frame)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise fail("DLS0505", f"`{name}` must be a number of at least 0, not {describe(value)}", expr.span,
                   "not 0 or more")  # fmt: skip
    return float(value)

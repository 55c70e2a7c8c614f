"""Settings of `train` about long runs: `checkpoint`, `early_stopping`, `keep_best`, `on_plateau`, `log`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.declarations import Settings, entries, whole_number, word_of
from dlspec.elaborate.environment import RETURN
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.training import Best, Checkpoints, Plateau
from dlspec.syntax import tree

SETTINGS = ("checkpoint", "early_stopping", "keep_best", "on_plateau", "log")

EXAMPLES = {
    "checkpoint": "write `checkpoint = { epochs: 1, keep: 2 }`, or `{ steps: 500 }`",
    "early_stopping": "write `early_stopping = { metric: val_loss, patience: 5 }`",
    "objective": "write `objective = { metric: val_accuracy, goal: max }`",
    "keep_best": "write `keep_best = { metric: val_loss }`",
    "on_plateau": "write `on_plateau = { metric: val_loss, factor: 0.1, patience: 3 }`",
}


def run_settings(
    settings: Settings, frame: Frame, losses: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    """The fields of `Training` that these settings give; `losses` and `metrics` are what every epoch has."""
    get, attempt = settings.get, settings.attempt
    return {
        "checkpoint": attempt(lambda: checkpoints(get("checkpoint"), frame)),
        "best": attempt(lambda: best(get("early_stopping"), get("keep_best"), frame, losses, metrics)),
        "plateau": attempt(lambda: plateau(get("on_plateau"), frame, losses, metrics)),
        "log": attempt(lambda: settings.whole("log", None, frame)),
    }


def checkpoints(expr: tree.Expr | None, frame: Frame) -> Checkpoints | None:
    """`checkpoint = { epochs: 1, keep: 2 }`, or `{ steps: 500 }`: when, and how many are kept."""
    if expr is None:
        return None
    given = entries("checkpoint", expr, ("epochs", "steps", "keep"), EXAMPLES["checkpoint"])
    if "epochs" in given and "steps" in given:
        raise fail("DLS0505", "`checkpoint` is every so many epochs or every so many steps, not both",
                   given["steps"].span, "beside `epochs`", EXAMPLES["checkpoint"])  # fmt: skip
    numbers = {name: whole_number(f"checkpoint.{name}", value, frame) for name, value in given.items()}
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
    given = entries(name, expr, known, EXAMPLES[name])
    chosen = metric_of(name, expr, given, losses, metrics)
    if "min_delta" in given:
        chosen["min_delta"] = _amount(f"{name}.min_delta", given["min_delta"], frame)
    if stopping is not None:
        patience = given.get("patience")
        chosen["patience"] = 5 if patience is None else whole_number(f"{name}.patience", patience, frame)
    return Best(**chosen)


def plateau(
    expr: tree.Expr | None, frame: Frame, losses: Sequence[str], metrics: Sequence[str]
) -> Plateau | None:
    """`on_plateau = { metric: val_loss, factor: 0.1, patience: 3, cooldown: 0, end: 0 }`: rates fall by `factor`."""
    if expr is None:
        return None
    name = "on_plateau"
    given = entries(name, expr, tuple(Plateau.model_fields), EXAMPLES[name])
    chosen = metric_of(name, expr, given, losses, metrics)
    for key in {"min_delta", "factor", "end"} & given.keys():
        chosen[key] = _amount(f"{name}.{key}", given[key], frame)
        if (key != "min_delta" and not 0 <= chosen[key] < 1) or (key == "factor" and not chosen[key]):
            raise fail("DLS0505", f"`{name}.{key}` must be between 0 and 1, not {describe(chosen[key])}",
                       given[key].span, "not between 0 and 1", EXAMPLES[name])  # fmt: skip
    for key in {"patience", "cooldown"} & given.keys():
        chosen[key] = whole_number(f"{name}.{key}", given[key], frame, 0)
    return Plateau(**chosen)


def metric_of(
    setting: str, expr: tree.Expr, given: dict[str, tree.Expr], losses: Sequence[str], metrics: Sequence[str]
) -> dict[str, Any]:
    """What is best: a loss should be small, a return large; of anything else the spec says so."""
    if "metric" not in given:
        raise fail("DLS0503", f"`{setting}` does not say its `metric`", expr.span,
                   f"one of {', '.join([*losses, *metrics])}", EXAMPLES[setting])  # fmt: skip
    metric = word_of(given["metric"])
    if metric not in (*losses, *metrics):
        guess = closest(given["metric"].span.text, [*losses, *metrics])
        hint = f"did you mean `{guess}`?" if guess else f"an epoch has {', '.join([*losses, *metrics])}"
        raise fail("DLS0505", f"`{given['metric'].span.text}` is nothing that an epoch has",
                   given["metric"].span, "unknown metric", hint)  # fmt: skip
    if "goal" not in given:
        if metric in losses:
            return {"metric": metric}
        if metric == RETURN:
            return {"metric": metric, "goal": "max"}
        raise fail("DLS0503", f"`{setting}` does not say whether `{metric}` should be large or small",
                   given["metric"].span, "no loss", "add `goal: max` or `goal: min`")  # fmt: skip
    goal = word_of(given["goal"])
    if goal not in ("min", "max"):
        raise fail("DLS0505", f"`{setting}.goal` must be `min` or `max`, not `{given['goal'].span.text}`",
                   given["goal"].span, "not `min` or `max`")  # fmt: skip
    return {"metric": metric, "goal": goal}


def _amount(name: str, expr: tree.Expr, frame: Frame) -> float:
    value: Any = evaluate(expr, frame)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise fail("DLS0505", f"`{name}` must be a number of at least 0, not {describe(value)}", expr.span,
                   "not 0 or more")  # fmt: skip
    return float(value)

"""`sweep NAME of TRAIN`: a search over `let`s for the values with which a training does best."""

from __future__ import annotations

from functools import partial
from typing import Any

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.blocks import plain
from dlspec.elaborate.declarations import Settings, entries, one_word
from dlspec.elaborate.environment import RETURN
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.training_runs import EXAMPLES, metric_of
from dlspec.elaborate.values import Poisoned, describe
from dlspec.ir.data import validation_split
from dlspec.ir.sweep import Range, Sweep
from dlspec.ir.training import Training
from dlspec.syntax import tree
from dlspec.syntax.source import Span

OWN = ("objective", "trials", "timeout", "sampler", "prune", "seed")
"""What a sweep says of itself; every other entry is a `let`."""
SAMPLERS, PRUNERS = ["tpe", "random"], ["median", "halving"]
RANGE = "write `{} = [0.001, 0.01]`, or `{} = {{ low: 1e-4, high: 1e-1, log: true }}`"


def sweep(item: tree.Declaration, builder: Any) -> Sweep:
    """`sweep NAME of TRAIN { lr = [...], objective = {...}, trials = 20 }`."""
    lets = [i.name.id for i in builder.file.items if isinstance(i, tree.Let)]
    settings, frame = Settings(item, [*OWN, *lets], builder.session), builder.frame()
    attempt = settings.attempt
    training = attempt(lambda: _training(item, builder))
    own = {
        "trials": attempt(partial(settings.whole, "trials", None, frame)),
        "seed": attempt(partial(settings.whole, "seed", 0, frame, 0)),
        "timeout": attempt(partial(settings.whole, "timeout", None, frame)),
        "sampler": attempt(lambda: one_word("sampler", settings.get("sampler"), "tpe", SAMPLERS)),
        "prune": attempt(lambda: _prune(settings.get("prune"))),
    }
    chosen = training and attempt(lambda: _objective(item, settings.get("objective"), training, builder))
    values = {
        name: attempt(partial(_candidates, name, setting.value, builder))
        for name, setting in settings.values.items()
        if name not in OWN
    }
    settings.finish()
    if not values:
        raise fail("DLS0503", f"`sweep {item.name.id}` does not say what to try", item.name.span, "no candidates",
                   RANGE.format("lr", "lr") + ", of a `let lr = ...`")  # fmt: skip
    for name, value in values.items():
        if isinstance(value, Range) and own["trials"] is None:
            message = f"`sweep {item.name.id}` does not say its `trials`, and `{name}` has no end of values"
            raise fail("DLS0503", message,
                       settings.values[name].value.span, "a range", "write `trials = 20`")  # fmt: skip
    return Sweep(name=item.name.id, train=training.name, settings=values, **chosen, **own)


def _prune(expr: tree.Expr | None) -> str:
    """`median` (also `true`), `halving`, or `false`."""
    if isinstance(expr, tree.Literal):
        return "median" if expr.value else "none"
    return one_word("prune", expr, "median", PRUNERS)


def _training(item: tree.Declaration, builder: Any) -> Training:
    """The training that it is over: the one named, or the only one."""
    declared = {
        i.name.id: i.name.span
        for i in builder.file.items
        if isinstance(i, tree.Declaration) and i.kind == "train"
    }
    name, span = (item.other.id, item.other.span) if item.other else (_only(item, declared), item.name.span)
    if name not in declared:
        guess = closest(name, list(declared))
        hint = f"did you mean `{guess}`?" if guess else "declare it with `train MODEL on DATA { ... }`"
        raise fail("DLS0514", f"`{name}` is no training of this spec", span, "unknown training", hint)
    if name not in builder.declared["train"]:
        raise Poisoned  # declared, but wrong: reported already
    found: Training = builder.declared["train"][name]
    return found


def _only(item: tree.Declaration, declared: dict[str, Span]) -> str:
    if len(declared) != 1:
        hint = f"write `sweep {item.name.id} of {next(iter(declared), 'TRAINING')}`"
        raise fail("DLS0503", f"`sweep {item.name.id}` does not say of which training", item.name.span,
                   "of which?", hint)  # fmt: skip
    return next(iter(declared))


def _objective(
    item: tree.Declaration, expr: tree.Expr | None, training: Training, builder: Any
) -> dict[str, Any]:
    """What is judged by; the loss on the split held out where it is not said."""
    data = builder.declared["data"][training.data]
    if data.environment is not None:
        if expr is None:
            return {"metric": RETURN, "goal": "max"}
        return metric_of("objective", expr, _entries(expr), [], [RETURN])
    head = f"{validation_split(data)}_"
    losses = [training.loss_key(step.name) for step in training.steps]
    graph = builder.session.graphs.get(training.evaluate)
    measured = [output.name for output in graph.outputs] if graph else losses
    names = {head + name: name == "loss" or name in losses for name in measured}
    lost = [*losses, *(name for name, is_loss in names.items() if is_loss)]
    if expr is None:
        if not any(names.values()):
            raise fail("DLS0503", f"`sweep {item.name.id}` does not say its `objective`", item.name.span,
                       "no epoch has one loss", EXAMPLES["objective"])  # fmt: skip
        return {"metric": next(name for name, is_loss in names.items() if is_loss)}
    return metric_of("objective", expr, _entries(expr), lost, [n for n in names if n not in lost])


def _entries(expr: tree.Expr) -> dict[str, tree.Expr]:
    return entries("objective", expr, ("metric", "goal"), EXAMPLES["objective"])


def _candidates(name: str, expr: tree.Expr, builder: Any) -> list[Any] | Range:
    """A list of values, or `{ low: 1e-4, high: 1e-1, log: true }`."""
    if isinstance(expr, tree.Dict):
        return _range(name, expr, builder)
    value = evaluate(expr, builder.frame())
    if not isinstance(value, list | range) or not value:
        raise fail("DLS0505", f"`{name}` needs a list of values to try, not {describe(value)}", expr.span,
                   "not a list", RANGE.format(name, name))  # fmt: skip
    found: list[Any] = list(plain(value))
    return found


def _range(name: str, expr: tree.Dict, builder: Any) -> Range:
    given = entries(name, expr, ("low", "high", "log"), RANGE.format(name, name))
    values = {key: evaluate(value, builder.frame()) for key, value in given.items()}
    for key in ("low", "high"):
        if key not in values:
            raise fail(
                "DLS0503",
                f"the range `{name}` does not say its `{key}`",
                expr.span,
                "",
                RANGE.format(name, name),
            )
        if isinstance(values[key], bool) or not isinstance(values[key], int | float):
            raise fail("DLS0505", f"`{name}.{key}` must be a number, not {describe(values[key])}",
                       given[key].span, "not a number")  # fmt: skip
    if not isinstance(values.get("log", False), bool):
        raise fail(
            "DLS0505", f"`{name}.log` must be true or false", given["log"].span, "neither true nor false"
        )
    least = 0 if values.get("log") else -float("inf")
    if not least < values["low"] < values["high"]:
        what = "above 0 and below `high`, as a logarithm is taken" if values.get("log") else "below `high`"
        raise fail(
            "DLS0505",
            f"`{name}.low` must be {what}",
            given["low"].span,
            "too large" if least < values["low"] else "not above 0",
        )
    return Range(**{k: plain(v) for k, v in values.items()})

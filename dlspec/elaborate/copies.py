"""`copy A to B every n` and `copy A to B rate r`: models that follow others, such as target networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import describe
from dlspec.ir.graph import Program
from dlspec.ir.training import Copy
from dlspec.syntax import tree


def copy_of(
    entry: tree.Copy,
    keys: Mapping[str, str],
    steps: Iterable[tree.StepSection],
    graphs: Mapping[str, Any],
    frame: Frame,
) -> Copy:
    """The copy that an entry describes; `keys` are those of the training's models in `graphs`."""
    source, target = (model_named(name, keys) for name in (entry.source, entry.target))
    if source == target:
        raise fail("DLS0435", f"`{source}` is copied to itself", entry.span, "the same model")
    for step in steps:
        for name in step.updates:
            if name.id == target:
                raise SpecError(
                    [
                        Diagnostic(
                            "DLS0435",
                            f"`{target}` is copied over, so what a step learns in it is lost",
                            entry.target.span,
                            "copied over",
                            [Note(name.span, "updated here")],
                            "update the model that is copied, and let this one follow it",
                        )
                    ]
                )
    weights = [weights_under(keys[name], graphs) for name in (source, target)]
    if weights[0] != weights[1]:
        raise fail("DLS0435", f"`{source}` and `{target}` have different weights, so one is no copy of the other",
                   entry.span, "not of one kind", "make both from the same model with the same arguments")  # fmt: skip
    return Copy.model_validate({"source": source, "target": target, entry.word: _amount(entry, frame)})


def model_named(name: tree.Name, models: Iterable[str]) -> str:
    """The name of a training's model."""
    if name.id in models:
        return name.id
    guess = closest(name.id, list(models))
    listing = f"its models are {', '.join(models)}" if models else "write `models = { A: Net, B: Net }`"
    hint = f"did you mean `{guess}`?" if guess else listing
    raise fail("DLS0507", f"`{name.id}` is none of this training's models", name.span, "unknown model", hint)


def every(expr: tree.Expr | None, frame: Frame) -> int:
    """After how many updates something is done, 1 if it is not said."""
    if expr is None:
        return 1
    value = evaluate(expr, frame)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fail("DLS0505", f"`every` needs a whole number of at least 1, not {describe(value)}",
                   expr.span, "not 1 or more")  # fmt: skip
    return int(value)


def _amount(entry: tree.Copy, frame: Frame) -> int | float:
    if entry.word == "every":
        return every(entry.amount, frame)
    value = evaluate(entry.amount, frame)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise fail("DLS0505", f"`rate` needs a number above 0 and at most 1, not {describe(value)}",
                   entry.amount.span, "not between 0 and 1")  # fmt: skip
    return float(value)


def weights_under(key: str, graphs: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The name and type of every weight of a model."""
    program = Program.model_construct(graphs=dict(graphs))
    return [(weight.name, str(weight.type)) for weight in program.all_weights(key)]

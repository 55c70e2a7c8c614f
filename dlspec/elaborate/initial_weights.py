"""`init_from`: the files of weights that a training begins with. They are read when it starts."""

from __future__ import annotations

from collections.abc import Collection

from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import construct, given_twice
from dlspec.elaborate.calls import Given, bind
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.ir.training import InitialWeights
from dlspec.syntax import tree

WRITE = 'write `"weights.safetensors"`, or `weights("model.safetensors", mapping = "huggingface")`'


def initial_weights(
    expr: tree.Expr | None, models: Collection[str], frame: Frame
) -> dict[str, InitialWeights]:
    """The files by model; under "" the one of all models (see `Training`)."""
    if expr is None:
        return {}
    if isinstance(expr, tree.Dict):
        return _by_model(expr, models, frame)
    found = _file(expr, frame)
    if len(models) > 1 and (found.mapping or found.fresh):
        hint = f"say of which: `init_from = {{ {next(iter(models))}: {expr.span.text} }}`"
        raise fail("DLS0505", "a mapping is for one model, and this training has several", expr.span,
                   "of which model?", hint)  # fmt: skip
    return {"": found}


def _by_model(expr: tree.Dict, models: Collection[str], frame: Frame) -> dict[str, InitialWeights]:
    found: dict[str, InitialWeights] = {}
    for name, written in expr.items:
        if name.id not in models:
            guess = closest(name.id, models)
            hint = f"did you mean `{guess}`?" if guess else f"its models are {', '.join(models)}"
            raise fail(
                "DLS0507", f"`{name.id}` is none of this training's models", name.span, "unknown model", hint
            )
        if name.id in found:
            first = next(other.span for other, _ in expr.items if other.id == name.id)
            raise given_twice(f"the model `{name.id}`", name.span, first)
        found[name.id] = _file(written, frame)
    return found


def _file(expr: tree.Expr, frame: Frame) -> InitialWeights:
    if isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name) and expr.function.id == "weights":
        given = [Given(a.name, evaluate(a.value, frame), a.value.span, None) for a in expr.arguments]
        made: InitialWeights = construct(
            InitialWeights, "weights", bind(InitialWeights, given, expr.span), expr.span
        )
        return made
    value = None if isinstance(expr, tree.Call) else evaluate(expr, frame)
    if not isinstance(value, str) or not value:
        raise fail("DLS0505", "`init_from` must be a file of weights", expr.span, "not a file", WRITE)
    return InitialWeights(file=value)

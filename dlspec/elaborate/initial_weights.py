"""`init_from`: the weights that a training begins with, from files or from an earlier training of the spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.diagnostics import SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import construct, given_twice
from dlspec.elaborate.calls import Given, bind
from dlspec.elaborate.copies import model_named, weights_under
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.values import Poisoned
from dlspec.elaborate.weight_paths import unknown_path
from dlspec.ir.paths import under, under_any
from dlspec.ir.training import InitialWeights, TrainedWeights
from dlspec.syntax import tree

WRITE = 'write `"weights.safetensors"`, or `weights("model.safetensors", mapping = "huggingface")`'

Beginning = InitialWeights | TrainedWeights


def initial_weights(expr: tree.Expr | None, models: Mapping[str, Any], builder: Any) -> dict[str, Beginning]:
    """What is begun with by model, whose graphs `models` names; under "" the one of all models (see `Training`)."""
    if expr is None:
        return {}
    if isinstance(expr, tree.Dict):
        return _by_model(expr, models, builder)
    if _called(expr, "trained"):
        if len(models) > 1:
            raise _of_which(expr, models)
        return {"": _trained(expr, next(iter(models)), models, builder)}
    found = _file(expr, builder.frame())
    if len(models) > 1 and (found.mapping or found.fresh):
        raise _of_which(expr, models)
    return {"": found}


def _of_which(expr: tree.Expr, models: Mapping[str, Any]) -> SpecError:
    what = "a mapping" if _called(expr, "weights") else "`trained`"
    hint = f"say of which: `init_from = {{ {next(iter(models))}: {expr.span.text} }}`"
    return fail(
        "DLS0505",
        f"{what} is for one model, and this training has several",
        expr.span,
        "of which model?",
        hint,
    )


def _by_model(expr: tree.Dict, models: Mapping[str, Any], builder: Any) -> dict[str, Beginning]:
    found: dict[str, Beginning] = {}
    for name, written in expr.items:
        model_named(name, models)
        if name.id in found:
            first = next(other.span for other, _ in expr.items if other.id == name.id)
            raise given_twice(f"the model `{name.id}`", name.span, first)
        trained = _called(written, "trained")
        found[name.id] = (
            _trained(written, name.id, models, builder) if trained else _file(written, builder.frame())
        )
    return found


def _called(expr: tree.Expr, name: str) -> bool:
    return isinstance(expr, tree.Call) and isinstance(expr.function, tree.Name) and expr.function.id == name


def _made(expr: tree.Expr, kind: Any, frame: Frame) -> Any:
    assert isinstance(expr, tree.Call)
    given = [Given(a.name, evaluate(a.value, frame), a.value.span, None) for a in expr.arguments]
    return construct(kind, kind.spec_name(), bind(kind, given, expr.span), expr.span)


def _trained(expr: tree.Expr, model: str, models: Mapping[str, Any], builder: Any) -> TrainedWeights:
    """What `model` begins with: a model of the same weights of a training further up."""
    given: TrainedWeights = _made(expr, TrainedWeights, builder.frame())
    known = builder.declared["train"]
    if given.training not in known:
        items = [i for i in builder.file.items if isinstance(i, tree.Declaration) and i.kind == "train"]
        declared = {i.name.id: i.span.start < expr.span.start for i in items}
        if declared.get(given.training) and given.training not in _around(expr, items):
            raise Poisoned  # declared, but wrong: reported already
        guess = closest(given.training, list(known))
        later = f"write `train {given.training}` above this one" if given.training in declared else None
        raise fail("DLS0514", f"`{given.training}` is no training further up in this spec", expr.span,
                   "unknown training", f"did you mean `{guess}`?" if guess else later)  # fmt: skip
    if not isinstance(models[model], str):
        raise Poisoned  # the models are wrong: reported already
    earlier = known[given.training].models
    chosen = given.model or (model if model in earlier else next(iter(earlier)))
    if chosen not in earlier or (len(earlier) > 1 and not given.model and model not in earlier):
        raise fail("DLS0507", f"`train {given.training}` has several models", expr.span, "which one?",
                   f"write `trained(\"{given.training}\", \"{next(iter(earlier))}\")`; "
                   f"its models are {', '.join(earlier)}")  # fmt: skip
    _check_alike(expr, given, model, *(weights_under(key, builder.session.graphs) for key in
                                       (earlier[chosen], models[model])))  # fmt: skip
    return given.model_copy(update={"model": chosen})


def _check_alike(
    expr: tree.Expr,
    given: TrainedWeights,
    model: str,
    theirs: list[tuple[str, str]],
    own: list[tuple[str, str]],
) -> None:
    """Raise `SpecError` where the weights of two models, names and types, differ in what is not drawn anew."""
    names = [name for name, _ in (*theirs, *own)]
    for path in given.fresh:
        if not under(path, names):
            raise unknown_path(path, list(dict.fromkeys(names)), expr)
    fresh = under_any(given.fresh, names)
    left, right = ({pair for pair in pairs if pair[0] not in fresh} for pairs in (theirs, own))
    if left != right:
        differing = sorted(left ^ right)[0][0].rpartition(".")[0] or "head"
        raise fail("DLS0435", f"`{model}` has other weights than the model that `train {given.training}` trains",
                   expr.span, "not of one kind", "make both from the same model with the same arguments, or "
                   f"draw anew what differs: `fresh = [\"{differing}\"]`")  # fmt: skip


def _around(expr: tree.Expr, items: list[tree.Declaration]) -> list[str]:
    """The declaration that an expression is in, as none or one name."""
    return [i.name.id for i in items if i.span.start < expr.span.start < i.span.end]


def _file(expr: tree.Expr, frame: Frame) -> InitialWeights:
    if _called(expr, "weights"):
        made: InitialWeights = _made(expr, InitialWeights, frame)
        return made
    value = None if isinstance(expr, tree.Call) else evaluate(expr, frame)
    if not isinstance(value, str) or not value:
        raise fail("DLS0505", "`init_from` must be a file of weights", expr.span, "not a file", WRITE)
    return InitialWeights(file=value)

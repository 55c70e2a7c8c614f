"""Settings of `train` about speed: `precision`, `compile`, `channels_last`, `pool_first`, `fused`,
`steps_per_execution`, `remat`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from dlspec.diagnostics import fail
from dlspec.elaborate.declarations import Settings, one_word, word_of
from dlspec.elaborate.frame import Frame
from dlspec.ir.gradients import takes_gradient
from dlspec.ir.graph import Graph, reached
from dlspec.ir.single_steps import single_steps
from dlspec.ir.training import PRECISIONS, Training
from dlspec.syntax import tree

SETTINGS = ("precision", "compile", "channels_last", "pool_first", "fused", "steps_per_execution", "remat")


def speed_settings(settings: Settings, frame: Frame) -> dict[str, Any]:
    """The fields of `Training` that these settings give; those that the spec leaves open are left out."""
    attempt = settings.attempt
    return {
        "precision": attempt(partial(_precision, settings)),
        "compile": bool(attempt(partial(settings.flag, "compile", frame))),
        "channels_last": attempt(partial(settings.flag, "channels_last", frame)),
        "pool_first": attempt(partial(settings.flag, "pool_first", frame)),
        "fused": attempt(partial(settings.flag, "fused", frame)),
        "steps_per_execution": attempt(partial(settings.whole, "steps_per_execution", None, frame)),
    }


def check_executions(training: Training, settings: Settings, graphs: Mapping[str, Graph]) -> None:
    """Refuse several steps in one call where something is done between two of them."""
    reason = single_steps(training, graphs)
    if (training.steps_per_execution or 1) > 1 and reason:
        raise fail("DLS0505", f"`{training.name}` {reason}: that comes between two steps",
                   settings.values["steps_per_execution"].name.span, "several steps in one call",
                   "leave it out, or write `steps_per_execution = 1`")  # fmt: skip


def check_recomputed(training: Training, settings: Settings, graphs: Mapping[str, Graph]) -> None:
    """Refuse `remat` (DLS0509) where a loss takes a gradient: TensorFlow differentiates what is computed anew once."""
    losses = reached(graphs, [step.graph for step in training.steps])
    if training.remat and any(takes_gradient(graphs[key]) for key in losses):
        raise fail("DLS0509", "a loss takes a gradient (`grad`), through which nothing is computed anew",
                   settings.values["remat"].name.span, "beside `grad`", "leave `remat` out")  # fmt: skip


def _precision(settings: Settings) -> str:
    return one_word("precision", settings.get("precision"), "f32", list(PRECISIONS))


def recomputed(
    settings: Settings, frame: Frame, graphs: Mapping[str, Graph], models: Iterable[str]
) -> tuple[str, ...]:
    """`remat`: blocks of the models that a second computation changes in nothing."""
    expr = settings.get("remat")
    if expr is None:
        return ()
    counted = bool(settings.flag("deterministic", frame))
    roots = set(models)
    keys = [key for key in reached(graphs, roots) if key not in roots and not graphs[key].function]
    blocks = sorted({graphs[key].name for key in keys})
    found = []
    for item in expr.items if isinstance(expr, tree.List) else [expr]:
        name = word_of(item)
        if name not in blocks:
            hint = f"the blocks are {', '.join(blocks)}" if blocks else "the models use no block with weights"
            raise fail("DLS0505", f"`remat` must be blocks of the models, such as `[{(blocks or ['Layer'])[0]}]`",
                       item.span, "no block of the models", hint)  # fmt: skip
        for key in (key for key in keys if graphs[key].name == name):
            _same_again(graphs, key, item, counted)
        found.append(str(name))
    return tuple(dict.fromkeys(found))


def _same_again(graphs: Mapping[str, Graph], key: str, item: tree.Expr, counted: bool) -> None:
    """Raise `SpecError` (DLS0509) where a block would not give the same again.

    counted
        whether random numbers are drawn by counting. Else those of `Dropout` are drawn again on both frameworks, but
        others come from a generator of Keras that it does not give out.
    """
    inside = [graphs[each] for each in reached(graphs, [key])]
    drawn = {node.op.spec_name() for graph in inside for node in graph.nodes if node.op.random}
    if any(not weight.trainable for graph in inside for weight in graph.weights):
        why = "has running statistics, and would count its batch twice"
        hint = "name a smaller block, or leave `remat` out"
    elif other := sorted(drawn - {"Dropout"}) if not counted else []:
        why = f"draws random numbers (`{other[0]}`), and would draw others"
        hint = "write `deterministic = true`, name a smaller block, or leave `remat` out"
    else:
        return
    raise fail("DLS0509", f"`{graphs[key].name}` {why} in the backward pass", item.span,
               "cannot be computed twice yet", hint)  # fmt: skip

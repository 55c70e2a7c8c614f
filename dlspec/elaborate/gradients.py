"""`grad(scalar, wrt)` in a step, a loss or a metric: the gradient of a number as a tensor."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.session import location
from dlspec.elaborate.values import describe
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.gradients import Grad, Watch
from dlspec.ir.graph import Graph, Node
from dlspec.syntax import tree
from dlspec.syntax.source import Span

GRAD = "grad"
WRITE = "write `grad(sum(score), image)`"

_FLAT = frozenset({"stop_gradient", "sign"})
"""What lets no gradient through."""


def gradient(expr: tree.Call, values: list[Any], frame: Frame) -> Handle:
    """The gradient of the first of two values with respect to the second."""
    span = expr.span
    if len(values) != 2 or any(argument.name for argument in expr.arguments):
        raise fail(
            "DLS0206", "`grad` takes a number and a tensor that it depends on", span, "two tensors", WRITE
        )
    y, x = (
        _tensor(value, argument.value.span) for value, argument in zip(values, expr.arguments, strict=True)
    )
    if frame.builder is None or not frame.training or y.builder is not frame.builder:
        raise fail("DLS0433", "`grad` is for steps, losses and metrics of `train`", span, "not in a model or block",
                   "apply the model in a `step`, and differentiate there")  # fmt: skip
    places = [argument.value.span for argument in expr.arguments]
    if y.type.rank != 0 or not y.type.is_float:
        raise fail("DLS0416", f"`grad` differentiates a single number, but this is {y.type}", places[0],
                   "not a scalar", "take its `mean` or `sum`")  # fmt: skip
    if not x.type.is_float:
        raise fail("DLS0304", f"`grad` needs a tensor of real numbers, but this is {x.type}", places[1],
                   "cannot be moved a little")  # fmt: skip
    _check_dependence(y, x, places, frame)
    watched, record = _watch(frame.builder, x, span)
    result: Handle = frame.add(Grad(), [y, watched, record], span)
    return result


def _tensor(value: Any, span: Span) -> Handle:
    if isinstance(value, Handle):
        return value
    raise fail(
        "DLS0202", f"`grad` needs a tensor, but this is {describe(value)}", span, "not a tensor", WRITE
    )


def _check_dependence(y: Handle, x: Handle, places: list[Span], frame: Frame) -> None:
    builder = y.builder
    if "." in x.name or x.name in builder.weights:
        raise fail("DLS0433", "`grad` is with respect to a tensor that was computed or a column, not to a weight",
                   places[1], "a weight")  # fmt: skip
    needed = {y.name}
    for node in reversed(builder.nodes):
        if needed & set(node.outputs):
            needed.update(name for name in node.inputs if name)
    if x.name not in needed:
        where = frame.origins.get(x.name)
        raise SpecError(
            [
                Diagnostic(
                    "DLS0434",
                    "the number does not depend on this tensor, so there is no gradient",
                    places[1],
                    "not used on the way to the number",
                    [Note(where, "comes from here")] if where is not None else [],
                    "give `grad` the very tensor that the model was applied to",
                )
            ]
        )


def _watch(builder: Builder, x: Handle, span: Span) -> tuple[Handle, Handle]:
    """Record from where `x` comes to be: what reads it reads the watched one from now on.

    What is computed keeps its name, which now means the watched one. A column is watched under a new name, once;
    later records begin at that one, so that no framework cuts the first from the second.
    """
    leaf = not any(x.name in node.outputs for node in builder.nodes)
    made = next((n for n in builder.nodes if isinstance(n.op, Watch) and n.inputs == (x.name,)), None)
    if leaf and made is not None:
        x, leaf = Handle(builder, made.output), False
    fresh, record = f"%{len(builder.types)}", f"%{len(builder.types) + 1}"
    start, watched = (x.name, fresh) if leaf else (fresh, x.name)
    types = Watch().infer(x.type)
    builder.types.update({fresh: types[0], record: types[1]})
    node = Node.model_construct(
        op=Watch(leaf=leaf), inputs=(start,), outputs=(watched, record), name="", weights={}, sources={},
        frozen=False, condition=builder.condition, location=location(span),
    )  # fmt: skip
    builder.label(Handle(builder, record), "tape")
    if leaf:
        nodes = [n.model_copy(update={"inputs": _renamed(n.inputs, x.name, fresh)}) for n in builder.nodes]
        builder.nodes[:] = [node, *nodes]
        builder.label(Handle(builder, fresh), x.name)
    else:
        index = next(i for i, n in enumerate(builder.nodes) if x.name in n.outputs)
        maker = builder.nodes[index]
        maker = maker.model_copy(update={"outputs": _renamed(maker.outputs, x.name, fresh)})
        builder.nodes[index : index + 1] = [maker, node]
    return Handle(builder, watched), Handle(builder, record)


def _renamed(names: tuple[Any, ...], old: str, new: str) -> tuple[Any, ...]:
    return tuple(new if name == old else name for name in names)


def settled(graph: Graph) -> Graph:
    """The graph in which every `Grad` knows whether it is itself differentiated."""
    if not any(isinstance(node.op, Grad) for node in graph.nodes):
        return graph
    kept = {output.value for output in graph.outputs}
    readers: dict[str, list[str]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name or "", []).append(node.op.spec_name())

    def update(node: Node) -> Node:
        if not isinstance(node.op, Grad):
            return node
        flat = node.output not in kept and set(readers.get(node.output, ())) <= _FLAT
        return node.model_copy(update={"op": node.op.model_copy(update={"again": not flat})})

    return graph.model_copy(update={"nodes": tuple(map(update, graph.nodes))})

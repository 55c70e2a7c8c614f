"""`grad(scalar, wrt)` in a step, a loss or a metric: the gradient of a number as a tensor."""

from __future__ import annotations

from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.session import location
from dlspec.elaborate.values import describe
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.gradients import Grad, Watch, takes_gradient
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
    watched, record = _watch(frame.builder, y, x, span)
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
    if x.name not in _needed(builder, y):
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


def _needed(builder: Builder, y: Handle) -> set[str]:
    """All values that `y` is computed from."""
    needed = {y.name}
    for node in reversed(builder.nodes):
        if needed & set(node.outputs):
            needed.update(name for name in node.inputs if name)
    return needed


def _watch(builder: Builder, y: Handle, x: Handle, span: Span) -> tuple[Handle, Handle]:
    """Record from where `x` comes to be: what reads it reads the watched one from now on.

    What is computed keeps its name, which now means the watched one. A column is watched under a new name, each
    time anew; but where `y` is computed from one that is watched already, the new record is of that one.
    """
    fresh, record = f"%{len(builder.types)}", f"%{len(builder.types) + 1}"
    types = Watch().infer(x.type)
    builder.types.update({fresh: types[0], record: types[1]})
    builder.label(Handle(builder, record), "tape")
    if any(x.name in node.outputs for node in builder.nodes):
        watched = x.name
        _watch_result(builder, watched, _node(False, fresh, watched, record, span))
    else:
        watched = _joined(builder, y, x) or fresh
        if watched == fresh:
            _watch_input(builder, x.name, _node(True, x.name, fresh, record, span))
            builder.label(Handle(builder, fresh), x.name)
        else:
            _watch_result(builder, watched, _node(False, fresh, watched, record, span))
    return Handle(builder, watched), Handle(builder, record)


def _node(leaf: bool, start: str, watched: str, record: str, span: Span) -> Node:
    return Node.model_construct(
        op=Watch(leaf=leaf), inputs=(start,), outputs=(watched, record), name="", weights={}, sources={},
        frozen=False, condition="", location=location(span),
    )  # fmt: skip


def _watch_result(builder: Builder, name: str, node: Node) -> None:
    """Put a watch behind the node that makes the value `name`."""
    index = next(i for i, n in enumerate(builder.nodes) if name in n.outputs)
    maker = builder.nodes[index]
    outputs = _renamed(maker.outputs, name, str(node.inputs[0]))
    builder.nodes[index : index + 1] = [maker.model_copy(update={"outputs": outputs}), node]


def _watch_input(builder: Builder, name: str, node: Node) -> None:
    """Put a watch before the first node that reads the input `name`."""
    index = next(i for i, n in enumerate(builder.nodes) if name in n.inputs and not isinstance(n.op, Watch))
    builder.nodes.insert(index, node)
    _reread(builder, name, node.output, keep=Watch)


def _joined(builder: Builder, y: Handle, x: Handle) -> str | None:
    """The watched form of the input `x` that `y` is computed from, if there is one: all that `y` reads of `x`
    reads it through that one.
    """
    needed = _needed(builder, y)
    made = [
        n for n in builder.nodes if isinstance(n.op, Watch) and n.inputs == (x.name,) and n.output in needed
    ]
    if not made:
        return None
    first, *others = made
    _reread(builder, x.name, first.output, keep=Watch)
    for other in others:
        joined = other.model_copy(update={"op": Watch(), "inputs": (first.output,)})
        builder.nodes[builder.nodes.index(other)] = joined
    return first.output


def _reread(builder: Builder, old: str, new: str, keep: type[Watch]) -> None:
    """Let all nodes but those of the kind `keep` read `new` instead of `old`."""
    builder.nodes[:] = [
        n if isinstance(n.op, keep) else n.model_copy(update={"inputs": _renamed(n.inputs, old, new)})
        for n in builder.nodes
    ]


def _renamed(names: tuple[Any, ...], old: str, new: str) -> tuple[Any, ...]:
    return tuple(new if name == old else name for name in names)


def settled(graph: Graph) -> Graph:
    """The graph in which every `Grad` knows whether it is itself differentiated."""
    if not takes_gradient(graph):
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

"""What in a metric is of one batch and what of the whole epoch: `total` and `collect` lead from one to the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum

from dlspec.diagnostics import SpecError, fail
from dlspec.ir.builder import Handle
from dlspec.ir.graph import Call, Graph, Node, Output, reached
from dlspec.ir.prune import pruned
from dlspec.ops.epoch import GATHER
from dlspec.syntax.source import Span


class Reach(IntEnum):
    """Over what a value is computed."""

    CONSTANT = 0
    BATCH = 1
    EPOCH = 2


def of_epoch(value: Handle, graphs: Mapping[str, Graph], span: Span) -> bool:
    """Whether a metric is computed over the epoch, with `total` or `collect`, or is the mean of its batches.

    Raises `SpecError` (DLS0542), at `span`, where what is of a batch meets what is of the epoch.
    """
    builder = value.builder
    graph = Graph.model_construct(
        name="", inputs=tuple(builder.inputs), outputs=(Output(name="metric", value=value.name),), weights=(),
        nodes=tuple(builder.nodes), types=builder.types,
    )  # fmt: skip
    graph = pruned(graph)
    return _Walk(graphs, span).outputs(graph, [Reach.BATCH] * len(graph.inputs)) == [Reach.EPOCH]


def refuse_gathering(graphs: Mapping[str, Graph], key: str, span: Span) -> None:
    """Raise `SpecError` (DLS0542) where a loss, or a model that it uses, has `total` or `collect`."""
    for node in (node for each in reached(graphs, [key]) for node in graphs[each].nodes):
        name = node.op.spec_name()
        if name in GATHER:
            raise fail("DLS0542", f"`{name}` is for metrics, but a loss or a model uses it{node.place}", span,
                       "its loss is computed for each batch", "leave it out there")  # fmt: skip


class _Walk:
    def __init__(self, graphs: Mapping[str, Graph], span: Span) -> None:
        self.graphs, self.span = graphs, span

    def outputs(self, graph: Graph, given: Sequence[Reach]) -> list[Reach]:
        """Those of a graph's results, for those of its inputs."""
        known = {value.name: reach for value, reach in zip(graph.inputs, given, strict=True)}
        for node in graph.nodes:
            operands = [known.get(name, Reach.BATCH) for name in node.inputs if name]
            known.update(zip(node.outputs, self._results(node, operands), strict=True))
        return [known.get(output.value, Reach.BATCH) for output in graph.outputs]

    def _results(self, node: Node, operands: list[Reach]) -> list[Reach]:
        if isinstance(node.op, Call):
            results = operands
            for _ in range(node.op.repeat):
                results = self.outputs(self.graphs[node.op.graph], operands)
                operands = [*results[: node.op.carried], *operands[node.op.carried :]]
            return results
        name = node.op.spec_name()
        if name in GATHER:
            if Reach.EPOCH in operands:
                raise self._error(f"`{name}` is applied to what is of the whole epoch already{node.place}",
                                  "gathered twice", "leave out one of the two `total` or `collect`")  # fmt: skip
            return [Reach.EPOCH]
        if {Reach.BATCH, Reach.EPOCH} <= set(operands):
            message = f"`{name}` is given something of one batch and something of the whole epoch"
            hint = "`total(...)` adds up over all batches, `collect(...)` keeps it of all examples"
            raise self._error(message + node.place, "no metric over the epoch", hint)
        drawn = node.op.random or bool(node.weights)
        return [max([*operands, Reach.BATCH if drawn else Reach.CONSTANT])] * len(node.outputs)

    def _error(self, message: str, label: str, hint: str) -> SpecError:
        return fail("DLS0542", message, self.span, label, hint)

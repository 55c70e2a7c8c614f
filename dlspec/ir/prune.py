"""Leaving out what a graph's results do not depend on."""

from __future__ import annotations

from collections.abc import Collection

from dlspec.ir.dims import symbols
from dlspec.ir.graph import Graph, Node, Value


def pruned(graph: Graph, outputs: Collection[str] | None = None) -> Graph:
    """The graph with only the inputs, weights and nodes that its results need.

    An input that nothing reads stays where no other tells a size that is used: noise for a batch of `N`.

    outputs
        public names of the results to keep; without it, all.
    """
    kept = tuple(o for o in graph.outputs if outputs is None or o.name in outputs)
    needed = {output.value for output in kept}
    nodes = []
    for node in reversed(graph.nodes):
        if needed & set(node.outputs):
            nodes.append(node)
            needed.update(name for name in node.inputs if name)
            needed.update(node.weights.values())
    return graph.model_copy(
        update={
            "outputs": kept,
            "nodes": tuple(reversed(nodes)),
            "inputs": _inputs(graph, nodes, needed),
            "weights": tuple(weight for weight in graph.weights if weight.name in needed),
        }
    )


def _inputs(graph: Graph, nodes: list[Node], needed: set[str]) -> tuple[Value, ...]:
    kept = {value.name for value in graph.inputs if value.name in needed}
    made = {name for node in nodes for name in (*node.inputs, *node.outputs) if name}
    used = {name for value in made for dim in graph.types[value].shape for name in symbols(dim)}
    used -= {name for value in graph.inputs if value.name in kept for name in _told_by(value)}
    for value in graph.inputs:
        if value.name not in kept and used & _told_by(value):
            kept.add(value.name)
            used -= _told_by(value)
    return tuple(value for value in graph.inputs if value.name in kept)


def _told_by(value: Value) -> set[str]:
    """The symbols that are the length of an axis of a value."""
    return {str(dim) for dim in value.type.shape if symbols(dim) == {str(dim)}}

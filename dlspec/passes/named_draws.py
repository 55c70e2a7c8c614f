"""Every draw gets a stream with a name, its place in the spec, for printed code that draws by counting.

The name is that of the block and of the value in it, the same for every backend. Draws of equal name in one
step, as of copies of a block, are told apart when they are made, by their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dlspec.ir.graph import Graph, Node, Program, reached

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend


def named_draws(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program in which the draws of the graphs `keys`, and of all they call, name their streams."""
    graphs = {}
    for key in reached(program.graphs, keys):
        graph = program.graphs[key]
        if any(node.op.random for node in graph.nodes):
            nodes = tuple(_named(graph, node) if node.op.random else node for node in graph.nodes)
            graphs[key] = graph.model_copy(update={"nodes": nodes})
    return program.model_copy(update={"graphs": {**program.graphs, **graphs}}) if graphs else program


def draws(program: Program, key: str) -> set[str]:
    """The operators that draw numbers in the graph `key` and in all that it calls."""
    nodes = (node for reached in reached(program.graphs, [key]) for node in program.graphs[reached].nodes)
    return {node.op.spec_name() for node in nodes if node.op.random}


def _named(graph: Graph, node: Node) -> Node:
    stream = node.op.stream or f"{graph.name}.{node.name or node.output.lstrip('%')}"  # type: ignore[attr-defined]
    return node.model_copy(update={"op": node.op.model_copy(update={"stream": stream})})

"""Max-pooling before `relu` instead of after it: the same numbers and gradients, and the `relu` of fewer of them.

Both are monotone, so they commute. A window's largest value has the gradient in either order, unless it is at most 0:
then nothing has.
"""

from __future__ import annotations

from math import prod

from dlspec.ir.graph import Graph, Node, Program

POOLS = frozenset({"MaxPool1d", "MaxPool2d", "MaxPool3d"})


def pooled_first(program: Program) -> Program:
    """The program in which each `relu` that only a smaller max-pooling reads comes after it."""
    changed = {key: found for key, graph in program.graphs.items() if (found := _graph(graph)) is not graph}
    return program.model_copy(update={"graphs": {**program.graphs, **changed}}) if changed else program


def _graph(graph: Graph) -> Graph:
    uses, types, nodes = graph.uses(), dict(graph.types), list(graph.nodes)
    places = {output: i for i, node in enumerate(nodes) for output in node.outputs}
    for i, pool in enumerate(graph.nodes):
        place = places.get(pool.inputs[0] or "") if pool.op.spec_name() in POOLS else None
        if place is None or not _swaps(nodes[place], pool, uses):
            continue
        relu = nodes[place]
        nodes[place] = pool.model_copy(update={"inputs": relu.inputs, "outputs": relu.outputs})
        nodes[i] = relu.model_copy(update={"inputs": relu.outputs, "outputs": pool.outputs})
        types[relu.output] = types[pool.output]
    return (
        graph
        if nodes == list(graph.nodes)
        else graph.model_copy(update={"nodes": tuple(nodes), "types": types})
    )


def _swaps(relu: Node, pool: Node, uses: dict[str, int]) -> bool:
    """Whether the pooling alone reads the `relu`, is there where it is, and gives less than it takes."""
    return (
        relu.op.spec_name() == "relu"
        and uses[relu.output] == 1
        and relu.condition == pool.condition
        and prod(pool.op.stride) > 1  # type: ignore[attr-defined]
    )

"""What models give, in f32: of a training whose models compute in less, so that losses and metrics do not."""

from __future__ import annotations

from dlspec.ir.graph import Call, Graph, Node, Program
from dlspec.ops.conversions import Cast


def full_precision(program: Program, key: str) -> Program:
    """The program in which the graph `key` converts every floating-point result of its calls to f32."""
    graph = program.graphs[key]
    types = dict(graph.types)
    nodes: list[Node] = []
    for node in graph.nodes:
        if not isinstance(node.op, Call):
            nodes.append(node)
            continue
        raw = {o: f"%raw {o}" for o in node.outputs if types[o].is_float}
        types.update({raw[o]: types[o] for o in raw})
        nodes.append(node.model_copy(update={"outputs": tuple(raw.get(o, o) for o in node.outputs)}))
        nodes += [
            Node(op=Cast(dtype="f32"), inputs=(raw[o],), outputs=(o,), location=node.location) for o in raw
        ]
    changed: Graph = graph.model_copy(update={"nodes": tuple(nodes), "types": types})
    return program.model_copy(update={"graphs": {**program.graphs, key: changed}})

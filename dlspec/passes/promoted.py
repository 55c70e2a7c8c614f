"""Models that compute in less than f32, for a framework that adds no half to a whole: both become f32 where they meet.

What layers give is of the lower precision, and so is what a class takes. What a graph makes of whole numbers, random
numbers and constants is f32, as are the results where the two meet, until the next layer takes them. PyTorch's
autocast does the same by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from dlspec.ir.graph import Call, Graph, Node, Program, reached
from dlspec.ops.conversions import Cast

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

INFIX = frozenset(
    {"add", "sub", "mul", "div", "floordiv", "mod", "pow", "less", "less_equal", "greater", "greater_equal"}
)
"""Operators of two tensors that are printed as signs, whose operands must be of one type."""
NUMBERS = frozenset({"constant", "full", "zeros", "ones"})
"""Operators that give a plain number where that has no axes; it takes the type of what it meets."""


class Kind(Enum):
    """Of what precision a value is; EITHER where that depends on who calls."""

    HALF = "half"
    FULL = "full"
    EITHER = "either"


def promoted(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program in which the graphs `keys` are models of a lower precision, and what meets is f32."""
    graphs = dict(program.graphs)
    found: dict[str, list[Kind | None]] = {}
    for key in reached(graphs, keys):
        _change(key, graphs, found)
    return program.model_copy(update={"graphs": graphs})


def _change(key: str, graphs: dict[str, Graph], found: dict[str, list[Kind | None]]) -> list[Kind | None]:
    """Change a graph, and those that it calls, once; gives the kinds of its outputs."""
    if key in found:
        return found[key]
    graph = graphs[key]
    start = Kind.EITHER if graph.function else Kind.HALF
    kinds: dict[str, Kind | None] = {
        value.name: start if value.type.is_float else None for value in graph.inputs
    }
    types, nodes = dict(graph.types), list[Node]()
    for node in graph.nodes:
        given = [
            kinds.get(name, Kind.HALF if types[name].is_float else None) if name else None
            for name in node.inputs
        ]
        if _joins(node, graphs) and _meet(given):
            casts = {name: f"%f32 {name}" for name, kind in zip(node.inputs, given, strict=True)
                     if name and kind in (Kind.HALF, Kind.EITHER)}  # fmt: skip
            for name, whole in casts.items():
                if whole not in types:
                    types[whole] = types[name]
                    kinds[whole] = Kind.FULL
                    nodes.append(
                        Node(op=Cast(dtype="f32"), inputs=(name,), outputs=(whole,), location=node.location)
                    )
            node = node.model_copy(update={"inputs": tuple(casts.get(n or "", n) for n in node.inputs)})
            given = [kind and Kind.FULL for kind in given]
        nodes.append(node)
        results = _results(node, given, graphs, found)
        for name, kind in zip(node.outputs, results, strict=True):
            kinds[name] = kind if types[name].is_float else None
    if len(nodes) > len(graph.nodes):
        graphs[key] = graph.model_copy(update={"nodes": tuple(nodes), "types": types})
    found[key] = [kinds.get(output.value, Kind.HALF) for output in graph.outputs]
    return found[key]


def _joins(node: Node, graphs: Mapping[str, Graph]) -> bool:
    """Whether operands must be of one type: of a sign, and of a function, which may join them."""
    if isinstance(node.op, Call):
        return graphs[node.op.graph].function
    return node.op.spec_name() in INFIX


def _meet(given: Sequence[Kind | None]) -> bool:
    """Whether operands may be of different precision."""
    known = {kind for kind in given if kind is not None}
    return len(known) > 1


def _results(
    node: Node,
    given: Sequence[Kind | None],
    graphs: dict[str, Graph],
    found: dict[str, list[Kind | None]],
) -> list[Kind | None]:
    """The kinds of what a node gives."""
    known = {kind for kind in given if kind is not None}
    kind: Kind | None
    if isinstance(node.op, Call):
        inside = _change(node.op.graph, graphs, found)
        whole = graphs[node.op.graph].function and len(known) == 1
        return [next(iter(known)) if each is Kind.EITHER and whole else each for each in inside]
    if isinstance(node.op, Cast):
        kind = Kind.FULL
    elif node.weights:
        kind = Kind.HALF
    elif not known:
        kind = None if node.op.spec_name() in NUMBERS and not _axes(node) else Kind.FULL
    elif Kind.FULL in known:
        kind = Kind.FULL
    else:
        kind = Kind.EITHER if Kind.EITHER in known else Kind.HALF
    return [kind] * len(node.outputs)


def _axes(node: Node) -> bool:
    """Whether a constant is more than a number."""
    shape = getattr(node.op, "shape", None)
    value = getattr(node.op, "value", None)
    return bool(shape) or isinstance(value, (list, tuple))

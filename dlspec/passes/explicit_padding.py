"""Padding that a backend's layer cannot do becomes a `pad` before the layer.

A convolution or pooling that no row of the manifest fits (padding that differs between the two sides of an axis, or any
padding at all where layers have none) is split into `pad` and the same layer without padding. Of a
transposed convolution, where padding cuts, the result is cut instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dlspec.ir.graph import Graph, Node, Program, reached
from dlspec.ir.types import TensorType

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend


def explicit_padding(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program in which the graphs `keys`, and all they call, have only convolutions with a row."""
    padded = {key: _padded(program.graphs[key], backend) for key in reached(program.graphs, keys)}
    changed = any(graph is not program.graphs[key] for key, graph in padded.items())
    return program.model_copy(update={"graphs": {**program.graphs, **padded}}) if changed else program


def _padded(graph: Graph, backend: Backend) -> Graph:
    types = dict(graph.types)
    nodes: list[Node] = []
    for node in graph.nodes:
        op: Any = node.op
        if _pads(op, graph.input_types(node)) and backend.row(op, graph.input_types(node)) is None:
            nodes.extend(_split(node, op, types))
        else:
            nodes.append(node)
    if len(nodes) == len(graph.nodes):
        return graph
    return graph.model_copy(update={"nodes": tuple(nodes), "types": types})


def _pads(op: Any, types: tuple[TensorType | None, ...]) -> bool:
    """Whether this is a layer that pads (or cuts), and is the same as a `pad` and itself without."""
    if not hasattr(op, "pads") or (hasattr(op, "uniform") and not op.uniform(types[0])):
        return False
    pads = op.extent(types[0]) if hasattr(op, "extent") else op.pads(types[0])
    return any(map(any, pads))


def _split(node: Node, op: Any, types: dict[str, TensorType]) -> Iterator[Node]:
    """The two nodes that a convolution with padding is."""
    x = types[str(node.inputs[0])]
    pads = op.pads(x)
    plain = op.model_copy(update={"padding": ((0, 0),) * op.spatial})
    sources = {field: param for field, param in node.sources.items() if field != "padding"}
    middle = f"%{node.output}.padding"
    if op.spec_name().startswith("ConvTranspose"):
        facts = op.facts(x)
        if facts["only_cropped"]:  # then what is added at the end is less than what is cut there
            plain, pads = plain.model_copy(update={"output_padding": (0,) * op.spatial}), facts["crop"]
        whole = types[middle] = plain.infer(x)
        ranges = ((lo, n - hi, None) for (lo, hi), n in zip(pads, whole.shape[2:], strict=True))
        cut = ((None, None, None), (None, None, None), *ranges)
        yield node.model_copy(update={"op": plain, "outputs": (middle,), "sources": sources})
        yield _after(node, "slice", {"index": cut}, middle, node.output, types)
    else:
        pad, plain = op.padless(x)
        yield _after(node, "pad", pad, str(node.inputs[0]), middle, types)
        yield node.model_copy(update={"op": plain, "inputs": (middle,), "sources": sources})


def _after(
    node: Node, name: str, fields: dict[str, Any], operand: str, result: str, types: dict[str, TensorType]
) -> Node:
    from dlspec.ops import operator

    op = operator(name)(**fields).resolve(types[operand])
    types[result] = op.infer(types[operand])  # type: ignore[assignment]
    return Node.model_construct(
        op=op,
        inputs=(operand,),
        outputs=(result,),
        name="",
        weights={},
        sources={},
        condition=node.condition,
        location=node.location,
    )

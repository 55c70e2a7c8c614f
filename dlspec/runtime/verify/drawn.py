"""Models that draw, where nothing draws as printed code does: the draws become inputs, and are counted out here.

ONNX has no stream that PyTorch and Keras share, and NumPy's reference has another. So their graph is that of the model
in which every tensor of chance is an input, which is fed with what the printed ``draws.py`` counts to.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import numpy as np

from dlspec.emit.manifest import load_backend
from dlspec.ir.graph import Graph, Node, Program, Value
from dlspec.ops.random import Draws
from dlspec.passes.flatten import flatten, renamed_values
from dlspec.passes.named_draws import named_draws
from dlspec.runtime.interpreter import apply, bind, bind_sizes

Arrays = dict[str, Any]


def fed(program: Program, key: str, inputs: Mapping[str, Any], double: bool) -> tuple[Program, Arrays]:
    """The program in which the graph `key` draws nothing, and its inputs: those given, and what it would draw.

    The draws are those of step 0 and seed 0 in inference, where dropout draws nothing.
    """
    graph = flatten(named_draws(program, [key], load_backend("torch")), key)
    nodes = [node for node in graph.nodes if node.op.random and node.op.spec_name() != "Dropout"]
    sizes: dict[str, int] = {}
    for value in graph.inputs:
        bind_sizes(value.name, value.type, np.asarray(inputs[value.name]), sizes)
    drawn: Counter[str] = Counter()
    arrays = [_drawn(node, sizes, double, drawn) for node in nodes]
    graph = _without(graph, nodes)
    names = [value.name for value in graph.inputs[len(graph.inputs) - len(nodes) :]]
    changed = program.model_copy(update={"graphs": {**program.graphs, key: graph}})
    return changed, {**inputs, **dict(zip(names, arrays, strict=True))}


class Counted(Draws):
    """Draws by counting, as in the ``draws.py`` that is printed for both frameworks."""

    def __init__(self, stream: str, drawn: Counter[str]) -> None:
        super().__init__(0, stream)
        self.drawn = drawn

    def uniform(self, shape: Any) -> Any:
        return self._counted(shape, self.name)

    def normal(self, shape: Any) -> Any:
        u, v = (self._counted(shape, f"{self.name} {part}") for part in "uv")
        return np.sqrt(-2 * np.log(u)) * np.cos(2 * math.pi * v)

    def _counted(self, shape: Any, stream: str) -> Any:
        self.drawn[stream] += 1
        turn = _mixed(np.uint64(crc32(f"{self.seed} {self.drawn[stream]} {stream}".encode())))
        element = np.arange(math.prod(shape), dtype=np.uint64)
        bits = _mixed(_mixed(element ^ turn) + _mixed(turn) & _LOW)
        return ((bits >> np.uint64(9)) + 0.5).reshape(shape) * 2.0**-23


_LOW = np.uint64(0xFFFFFFFF)


def _mixed(x: Any) -> Any:
    """32-bit integers, each mixed as MurmurHash3 ends (Appleby 2008)."""
    x = (x ^ x >> np.uint64(16)) * np.uint64(0x85EBCA6B) & _LOW
    x = (x ^ x >> np.uint64(13)) * np.uint64(0xC2B2AE35) & _LOW
    return x ^ x >> np.uint64(16)


def _drawn(node: Node, sizes: Mapping[str, int], double: bool, drawn: Counter[str]) -> Any:
    op: Any = bind(node.op, sizes, double)
    return apply(op, [], double=double, draws=Counted(op.stream, drawn))[0]


def _without(graph: Graph, nodes: list[Node]) -> Graph:
    """The graph whose `nodes`, which draw, are inputs after its own."""
    taken = {*graph.types}
    fresh = (
        name for name in (f"draw{number}" for number in range(len(taken) + len(nodes))) if name not in taken
    )
    names = dict(zip((node.output for node in nodes), fresh, strict=False))
    added = tuple(Value(name=names[node.output], type=graph.types[node.output]) for node in nodes)
    kept = [node for node in graph.nodes if not any(node is each for each in nodes)]
    graph = renamed_values(graph.model_copy(update={"nodes": tuple(kept)}), names)
    return graph.model_copy(update={"inputs": (*graph.inputs, *added)})

"""Inputs to compare on: the spec's own data where it has some, else drawn to fit the model."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlspec.ir.dims import Dim, symbols
from dlspec.ir.dims import substitute as put
from dlspec.ir.graph import Call, Graph, Program
from dlspec.ops.streams import generator

SIZES = (4, 6, 5, 7)
"""Sizes for the symbols of a model, in order: the batch first."""


def drawn_inputs(program: Program, key: str, seed: int) -> dict[str, Any]:
    """Inputs of a model: standard normal numbers, and integers below what they index."""
    graph = program.graphs[key]
    sizes: dict[str, Dim] = {}
    for value in graph.inputs:
        for dim in value.type.shape:
            for name in sorted(symbols(dim)):
                sizes.setdefault(name, SIZES[len(sizes) % len(SIZES)])
    arrays = {}
    for value in graph.inputs:
        shape = tuple(int(put(dim, sizes)) for dim in value.type.shape)  # type: ignore[arg-type]
        random = np.random.Generator(generator(seed, f"verify:{value.name}"))
        if value.type.is_float:
            arrays[value.name] = random.standard_normal(shape).astype(np.float32)
        else:
            bound = 2 if value.type.dtype == "bool" else _bound(program, graph, value.name)
            drawn = random.integers(0, bound, shape)
            arrays[value.name] = drawn.astype(bool if value.type.dtype == "bool" else np.int64)
    return arrays


def _bound(program: Program, graph: Graph, name: str) -> int:
    """One more than the largest integer that the readers of a value accept."""
    bounds = [1_000_000]
    for node in graph.nodes:
        if name not in node.inputs:
            continue
        if isinstance(node.op, Call):
            callee = program.graphs[node.op.graph]
            bounds += [_bound(program, callee, v.name) for v, i in zip(callee.inputs, node.inputs, strict=True)
                       if i == name]  # fmt: skip
        for field in ("num_embeddings", "classes"):
            bounds.append(getattr(node.op, field, 1_000_000))
    smallest = min(bounds)
    return smallest if smallest < 1_000_000 else 10

"""Where layers keep the weights of a spec, one entry a class of layers: for a compact ``weights.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dlspec.emit.manifest import NativeWeight
from dlspec.emit.naming import ModuleNames, held_by, key_of
from dlspec.ir.dims import Dim, symbols
from dlspec.ir.dims import substitute as put
from dlspec.ir.graph import Call, Graph
from dlspec.passes.outline import raw_weights

SIZE = 32
"""For a symbolic size, when a model is called only to make its variables; the batch has 1."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer keeps a weight: the variable, and the spec's axes, and blocks of the first, in its order.

    merged
        the first two of those axes are one in the spec, before one of size 1 (depthwise kernels).
    """

    variable: str
    axes: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    merged: bool = False


Leaves = dict[str, Place]


def layer_places(
    names: ModuleNames, key: str, prefix: str = ""
) -> tuple[dict[str, Leaves], dict[str, Leaves]]:
    """Local weight names to places: by class of layer, and by path where a layer is not as its class."""
    found: dict[str, Leaves] = {}
    others: dict[str, Leaves] = {}
    for path, kind, leaves in _layers(names, key, prefix):
        known = found.setdefault(kind, {})
        if any(known.get(leaf, place) != place for leaf, place in leaves.items()):
            others[path] = leaves
        else:
            known.update(leaves)
    return found, others


def renamed_attributes(names: ModuleNames, key: str) -> dict[str, str]:
    """Attributes that are called otherwise in the spec, such as ``name_`` for ``name``."""
    plan = names.outline.of[key]
    attributes = names.of[plan.name].attributes
    found: dict[str, str] = {}
    for _, node, row in plan.nodes(names.graph(key)):
        if isinstance(node.op, Call) and names.callee(node).name in names.functions:
            continue
        if isinstance(node.op, Call):
            found.update(renamed_attributes(names, node.op.graph))
        if row is None or node.weights:
            found[attributes[key_of(node)]] = node.name
    for weight in raw_weights(plan.graph):
        found[attributes[held_by(weight.name)]] = weight.name
    return {attribute: name for attribute, name in found.items() if attribute != name}


def _layers(names: ModuleNames, key: str, prefix: str) -> Iterator[tuple[str, str, Leaves]]:
    """Every layer with weights: its canonical path, its class as it is written, and its weights."""
    graph = names.graph(key)
    for _, node, row in names.outline.of[key].nodes(graph):
        if isinstance(node.op, Call):
            for step in range(node.op.repeat):
                copy = f".{step}" if node.op.repeat > 1 else ""
                yield from _layers(names, node.op.graph, f"{prefix}{node.name}{copy}.")
        elif row is not None and node.weights and row.kind == "init":
            leaves = {local: _place(row.native(local)) for local in node.weights if row.native(local).name}
            kind = re.match(r"[\w.]+", row.text)
            if leaves and kind:
                yield prefix + node.name, kind[0], leaves


def _place(native: NativeWeight) -> Place:
    if not native.layout:
        return Place(native.name)
    pattern, _, extra = native.layout.partition("|")
    left, right = (re.findall(r"\([^()]*\)|\w+", side) for side in pattern.split("->"))
    merged = sorted(left) != sorted(right)
    if merged:
        left, right = (re.findall(r"[a-z]\w*", side) for side in pattern.split("->"))
    axes = tuple(left.index(axis) for axis in right)
    order = re.search(r"=\s*(\d+(?:\s*,\s*\d+)+)", extra)
    blocks = tuple(int(n) for n in order[1].split(",")) if order else ()
    return Place(native.name, axes if merged or axes != tuple(range(len(axes))) else (), blocks, merged)


def example_inputs(graph: Graph, dtypes: Mapping[str, str]) -> list[tuple[tuple[int, ...], str]]:
    """Shapes and element types with which a model can be called, so that its variables are made."""
    batch = {str(value.type.shape[0]) for value in graph.inputs if value.type.shape}

    def size(dim: Dim) -> int:
        return int(put(dim, {name: 1 if name in batch else SIZE for name in symbols(dim)}))  # type: ignore[arg-type]

    return [(tuple(size(dim) for dim in v.type.shape), dtypes[v.type.dtype]) for v in graph.inputs]

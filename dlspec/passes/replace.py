"""Replacing operators in place: what passes that rewrite single nodes share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlspec.ir.builder import Builder, Handle
from dlspec.ir.graph import Graph, Node, Program
from dlspec.ir.types import TensorType

Replacement = Callable[..., Any]
"""``rule(builder, op, *operands, **weights)`` gives the result or results, or NotImplemented to leave the node."""


def replace_operators(program: Program, rules: Mapping[str, Replacement]) -> Program:
    """The program in which operators named in `rules` are replaced; weights stay where they are."""
    changed = {}
    for key, graph in program.graphs.items():
        if any(node.op.spec_name() in rules for node in graph.nodes):
            changed[key] = _graph(graph, rules)
    return program.model_copy(update={"graphs": {**program.graphs, **changed}}) if changed else program


def _graph(graph: Graph, rules: Mapping[str, Replacement]) -> Graph:
    types = dict(graph.types)
    nodes: list[Node] = []
    waiting = list(reversed(graph.nodes))
    while waiting:
        node = waiting.pop()
        rule = rules.get(node.op.spec_name())
        made = None if rule is None else _replaced(node, rule, types)
        if made is None:
            nodes.append(node)
        else:  # what stands in its place may be replaced in turn
            waiting.extend(reversed(made))
    return graph.model_copy(update={"nodes": tuple(nodes), "types": types})


def _replaced(node: Node, rule: Replacement, types: dict[str, TensorType]) -> list[Node] | None:
    """The nodes that stand for `node`, None if it stays; the types of their values are added to `types`."""
    builder = Builder(node.op.spec_name())
    names: dict[str, str] = {}

    def given(local: str, name: str) -> Handle:
        names[local] = name
        return builder.input(local, types[name])

    handles = [given(f"operand{i}", name) if name else None for i, name in enumerate(node.inputs)]
    weights = {local: given(f"weight {local}", name) for local, name in node.weights.items()}
    made = rule(builder, node.op, *handles, **weights)
    if made is NotImplemented:
        return None
    results = made if isinstance(made, (list, tuple)) else (made,)
    for handle, output in zip(results, node.outputs, strict=True):
        names[handle.name] = output
    stem = node.output if "%" in node.output else f"%{node.output}"
    values = [name for inner in builder.nodes for name in inner.outputs]
    for value in values:
        if value not in names:
            names[value] = f"{stem}/{len(types)}"  # types only grow, so that no name comes twice
        types[names[value]] = builder.types[value]
    return [_renamed(inner, names, node) for inner in builder.nodes]


def _renamed(inner: Node, names: Mapping[str, str], node: Node) -> Node:
    return inner.model_copy(
        update={
            "inputs": tuple(None if name is None else names[name] for name in inner.inputs),
            "outputs": tuple(names[name] for name in inner.outputs),
            "name": node.name if inner.name else "",  # a part with weights is the same instance
            "weights": {local: names[name] for local, name in inner.weights.items()},
            "condition": node.condition,
            "location": node.location,
        }
    )

"""One class for instances of a block of which some have nodes that others have not.

``skip = if stride == 1 and C == channels then x else project(x)`` makes graphs with `project` and without. They are
aligned node by node: the one with the most nodes is the class, and what others lack are its `Option`s, each with
the value that stands in the place of what it gives. Instances that no option explains are classes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlspec.ir.graph import Graph, Output
from dlspec.ir.types import TensorType

NUMBERS = ("constant", "size")
"""Operators that are written where they are used: what they give is no result of an option."""


@dataclass(frozen=True, slots=True)
class Option:
    """Nodes of a class that are there only under a condition.

    nodes
        their numbers in the class's graph, in order.
    condition
        over the variables of the class, see `ir.condition`.
    instead
        a value that they give, to the value that stands in its place where they are not there.
    """

    nodes: tuple[int, ...]
    condition: str
    instead: Mapping[str, str]


@dataclass(slots=True)
class Lacking:
    """A graph with fewer nodes, aligned with a full one: nodes that it lacks, what stands in their place, and
    the full graph's names of its values.
    """

    nodes: set[int] = field(default_factory=set)
    instead: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


def align(full: Graph, full_kinds: Sequence[Any], graph: Graph, kinds: Sequence[Any]) -> Lacking | None:
    """How `graph` is `full` without some nodes; None if it is not. Kinds are what must be alike of each node."""
    if len(full.inputs) != len(graph.inputs) or len(full.outputs) != len(graph.outputs):
        return None
    found = Lacking(values={b.name: a.name for a, b in zip(full.inputs, graph.inputs, strict=True)})
    optional: set[str] = set()
    position = 0
    for node, kind in zip(graph.nodes, kinds, strict=True):
        while position < len(full.nodes):
            candidate = full.nodes[position]
            if full_kinds[position] == kind and _fits(candidate.inputs, node.inputs, optional, found):
                break
            found.nodes.add(position)
            optional.update(candidate.outputs)
            position += 1
        else:
            return None
        found.values.update(zip(node.outputs, full.nodes[position].outputs, strict=True))
        position += 1
    rest = range(position, len(full.nodes))
    found.nodes.update(rest)
    optional.update(value for index in rest for value in full.nodes[index].outputs)
    ends = [output.value for output in full.outputs], [output.value for output in graph.outputs]
    if not _fits(*ends, optional, found):
        return None
    numbers = {node.output for node in full.nodes if node.op.spec_name() in NUMBERS}
    return None if numbers & found.instead.keys() else found


def _fits(full: Sequence[str | None], own: Sequence[str | None], optional: set[str], found: Lacking) -> bool:
    """Whether these operands are the same values; one that is optional may be another, but always the same."""
    if len(full) != len(own):
        return False
    instead: dict[str, str] = {}
    for wanted, name in zip(full, own, strict=True):
        value = None if name is None else found.values.get(name, name)
        if value == wanted:
            continue
        if wanted is None or value is None or wanted not in optional:
            return False
        if {**found.instead, **instead}.setdefault(wanted, value) != value:
            return False
        instead[wanted] = value
    found.instead.update(instead)
    return True


def renamed(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The graph with its values called otherwise."""
    types: dict[str, TensorType] = {names.get(name, name): kind for name, kind in graph.types.items()}
    nodes = tuple(
        node.model_copy(
            update={
                "inputs": tuple(name and names.get(name, name) for name in node.inputs),
                "outputs": tuple(names.get(name, name) for name in node.outputs),
            }
        )
        for node in graph.nodes
    )
    outputs = tuple(
        Output.model_construct(name=o.name, value=names.get(o.value, o.value)) for o in graph.outputs
    )
    return graph.model_copy(update={"nodes": nodes, "outputs": outputs, "types": types})


def parts(lacking: Sequence[Lacking]) -> list[tuple[tuple[int, ...], dict[str, str]]] | None:
    """The optional nodes of a class, those apart that some instance has without the others, and what stands in
    their place; None where that is not the same in all instances.
    """
    by_sign: dict[tuple[bool, ...], list[int]] = {}
    for index in sorted({index for each in lacking for index in each.nodes}):
        by_sign.setdefault(tuple(index in each.nodes for each in lacking), []).append(index)
    instead: dict[str, str] = {}
    for each in sorted(lacking, key=lambda each: len(each.nodes)):
        for value, other in each.instead.items():
            if value in instead and not _leads(value, other, instead, each):
                return None
            instead.setdefault(value, other)
    return [(tuple(nodes), instead) for nodes in by_sign.values()]


def _leads(value: str, wanted: str, instead: Mapping[str, str], each: Lacking) -> bool:
    """Whether following what stands in the place of values that are not there ends at the wanted one."""
    seen = value
    while seen != wanted:
        if seen not in each.instead and seen not in instead:
            return False
        seen = instead[seen]
    return True

"""Parameters of blocks that nobody sets: a class that is printed for one model need not have them.

A library's block has more settings than one model uses. Where all uses leave a parameter at its default, or hand on
one that is itself left so, the printed class has the value in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dlspec.ir.dims import Symbolic, symbols
from dlspec.ir.graph import Call, Graph, Node
from dlspec.passes.expressions import collapse

Groups = Sequence[tuple[str, Sequence[str]]]
"""Definitions with the keys of their graphs, callees first."""


def unset_params(
    graphs: Mapping[str, Graph], groups: Groups, entries: Collection[str]
) -> dict[str, set[str]]:
    """For each graph the parameters that no use of its definition sets; none of the entries, whose users may."""
    unset: dict[str, set[str]] = {}
    uses = _uses(graphs, groups)
    for _, keys in reversed(groups):
        if set(keys) & set(entries):
            shared: set[str] = set()
        else:
            shared = set.intersection(*(_left_at_default(graphs[key]) for key in keys))
            for key in keys:
                for caller, node in uses.get(key, ()):
                    shared -= _set_by(node, unset[caller])
        unset.update((key, shared) for key in keys)
    return unset


def _uses(graphs: Mapping[str, Graph], groups: Groups) -> dict[str, list[tuple[str, Node]]]:
    """The calls of each graph, with the keys of the graphs that they are in."""
    found: dict[str, list[tuple[str, Node]]] = {}
    for caller in (key for _, keys in groups for key in keys):
        for node in graphs[caller].nodes:
            if isinstance(node.op, Call):
                found.setdefault(node.op.graph, []).append((caller, node))
    return found


def _left_at_default(graph: Graph) -> set[str]:
    """The parameters that have their default."""
    return {
        name
        for name, default in graph.defaults.items()
        if name in graph.params and collapse(graph.params[name]) == collapse(default)
    }


def _set_by(node: Node, unset: Collection[str]) -> set[str]:
    """The parameters that a call sets to more than a number: from parameters or sizes of its caller that vary."""
    return {
        name
        for name, source in node.sources.items()
        if not isinstance(source, Symbolic) or not symbols(source) <= set(unset)
    }

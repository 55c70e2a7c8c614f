"""Names of the classes that one block prints as, when its instances differ in structure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from dlspec.ir.graph import Graph


def variant_names(name: str, variants: Sequence[Sequence[Graph]], taken: Collection[str]) -> list[str]:
    """A class name for each group of like instances; the simplest group has the block's own name.

    >>> variant_names("Residual", [[Graph(name="Residual")]], set())
    ['Residual']
    """
    base = camel(name)
    simplest = min(range(len(variants)), key=lambda i: (len(variants[i][0].nodes), i))
    names: list[str] = []
    for index, graphs in enumerate(variants):
        stem = base if index == simplest else base + _difference(graphs[0], variants[simplest][0])
        unique, count = stem, 1
        reserved = {*taken, *names} if index == simplest else {*taken, *names, base}
        while unique in reserved:
            count += 1
            unique = f"{stem}{count}"
        names.append(unique)
    return names


def camel(name: str) -> str:
    """`name` as a class name: ``dense_block`` is DenseBlock."""
    parts = [part for part in re.split(r"[_\W]+", name, flags=re.ASCII) if part]
    text = "".join(part[0].upper() + part[1:] for part in parts)
    return text if text[:1].isalpha() else f"Model{text}"


def _difference(graph: Graph, base: Graph) -> str:
    """What sets an instance apart from the simplest one, in a word or two."""
    for param, value in graph.params.items():
        other = base.params.get(param)
        if value is True and other is False:
            return camel(param)
        if isinstance(value, str) and value != other:
            return camel(value)
    counts: dict[str, int] = {}
    for sign, nodes in ((1, graph.nodes), (-1, base.nodes)):
        for node in nodes:
            if node.name:
                counts[node.op.spec_name()] = counts.get(node.op.spec_name(), 0) + sign
    extra = [op for op, count in counts.items() if count > 0]
    if any(op.startswith(("Conv", "Linear")) for op in extra):
        return "Projection"
    return f"With{camel(extra[0])}" if extra and extra[0] != "call" else ""

"""The names that values have in an ONNX model: those of the spec; what has none is named after its operator."""

from __future__ import annotations

from dlspec.ir.graph import Graph, Node


def value_names(graph: Graph) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Value to its name in the model, and for results that need a node of their own: result, value.

    Inputs, weights and results keep the names that they have in the spec (but see `result_names`); all names are
    unique.
    """
    names = {value.name: value.name for value in (*graph.inputs, *graph.weights)}
    made = {name for node in graph.nodes for name in node.outputs}
    copies: list[tuple[str, str]] = []
    results = result_names(graph)
    for output, result in zip(graph.outputs, results, strict=True):
        if output.value in made and output.value not in names:
            names[output.value] = result
        else:
            copies.append((result, output.value))
    taken = {*names.values(), *results}
    # Users' names first: a made-up name must not push one aside.
    for node in graph.nodes:
        for name in node.outputs:
            if name not in names and "%" not in name:
                names[name] = _unique(name, taken)
    counts: dict[str, int] = {}
    for node in graph.nodes:
        for name in node.outputs:
            if name not in names:
                names[name] = _numbered(_base(node, name), taken, counts)
    for name in graph.types:
        names.setdefault(name, name)
    return names, copies


def result_names(graph: Graph) -> list[str]:
    """The names of the results: those of the spec, except that ONNX has one name for one tensor. A result that is
    called as an input or a weight has ``_out`` at its end.
    """
    taken = {value.name for value in (*graph.inputs, *graph.weights)}
    others = {output.name for output in graph.outputs} | taken
    names = []
    for output in graph.outputs:
        name = output.name
        while name in taken or (name != output.name and name in others):
            name += "_out"
        names.append(name)
        taken.add(name)
    return names


def _base(node: Node, name: str) -> str:
    """``layer.0.`` and the instance or the operator that made the value."""
    return node.name or name.partition("%")[0] + node.op.spec_name()


def _unique(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _numbered(base: str, taken: set[str], counts: dict[str, int]) -> str:
    while True:
        counts[base] = count = counts.get(base, 0) + 1
        name = base if count == 1 else f"{base}_{count}"
        if name not in taken:
            taken.add(name)
            return name

"""Whether the models have room for all the categories or symbols that a column may have."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.elaborate.vocabulary import text_columns
from dlspec.ir.data import DataSet
from dlspec.ir.graph import Call, Graph, Node
from dlspec.syntax.source import Span

COMPARING = frozenset({"CrossEntropy", "NllLoss", "Accuracy", "TopKAccuracy"})
"""Operators whose operands are scores of classes, and the numbers of the right ones."""


def check_room(
    graphs: Mapping[str, Graph], keys: Collection[str], data: DataSet, origins: Mapping[str, Span]
) -> None:
    """Raises SpecError (DLS0561) for columns with more numbers than a layer or a loss of the graphs has numbers."""
    sizes = {name: category.size for name, category in data.categories.items()}
    if data.vocabulary is not None:
        sizes |= dict.fromkeys(text_columns(data), data.vocabulary.size)
    if not sizes:
        return
    problems: dict[str, Diagnostic] = {}
    known: dict[str, Iterable[str]] = {key: passed_on(graphs, data, sizes) for key in keys}
    if data.prepare is not None:
        known[data.prepare] = sizes
    for key, columns in known.items():
        for column, what, room in _uses(graphs, key, {name: name for name in columns}):
            size = sizes[column]
            if isinstance(room, int) and room < size and column in origins:
                kind = "categories" if column in data.categories else "symbols"
                message = f"`{column}` has up to {size} {kind}, but {what} has {room}"
                hint = f"give it {size}, or let there be {room} {kind}"
                found = Diagnostic("DLS0561", message, origins[column], f"{size} {kind}", hint=hint)
                problems.setdefault(column, found)
    if problems:
        raise SpecError(list(problems.values()))


def passed_on(graphs: Mapping[str, Graph], data: DataSet, columns: Iterable[str]) -> list[str]:
    """Those of some columns that the preparation leaves as they are."""
    if data.prepare is None:
        return list(columns)
    made = {output.name: output.value for output in graphs[data.prepare].outputs}
    return [name for name in columns if made.get(name) == name]


def _uses(
    graphs: Mapping[str, Graph], key: str, columns: Mapping[str, str]
) -> Iterator[tuple[str, str, object]]:
    """Where a graph needs a number for each category: the column, what needs it, and how many it has.

    columns
        value of the graph to the column that it is.
    """
    graph = graphs[key]
    for node in graph.nodes:
        given = {place: columns[v] for place, v in enumerate(node.inputs) if v is not None and v in columns}
        if not given:
            continue
        if isinstance(node.op, Call):
            inputs = graphs[node.op.graph].inputs
            yield from _uses(graphs, node.op.graph, {inputs[place].name: c for place, c in given.items()})
        elif (room := _room(graph, node)) is not None and room[0] in given:
            yield given[room[0]], f"`{node.op.spec_name()}`", room[1]


def _room(graph: Graph, node: Node) -> tuple[int, object] | None:
    """The operand that an operator takes as numbers of classes, and how many it has; None for other operators."""
    types = graph.input_types(node)
    facts = {name: getattr(node.op, name, None) for name in ("num_embeddings", "axis", "classes")}
    match type(node.op).__name__:
        case "Embedding":
            return 0, facts["num_embeddings"]
        case "OneHot":
            return 0, facts["classes"]
        case name if name in COMPARING and types[0] is not None:
            return 1, types[0].shape[facts["axis"] if isinstance(facts["axis"], int) else -1]
    return None

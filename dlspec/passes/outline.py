"""Which classes to print: instances of one block that are alike but for attribute values share one class.

For every slot (an argument of a node that the backend's row mentions) the values over the instances are
compared. Equal ones become literals; those that differ, and those that a block's parameter gave directly,
become constructor parameters. Instances that differ in structure are classes of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlspec.ir.dims import Symbolic, substitute, symbol
from dlspec.ir.graph import Call, Graph, Node, Program, Weight
from dlspec.ir.op import Init
from dlspec.ir.types import TensorType
from dlspec.passes.dependence import links
from dlspec.passes.naming import variant_names
from dlspec.passes.slots import Parameter, Slots, collapse, is_plain

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend, Row


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One class to print: the graphs that are its instances, one of them to print from, and its parameters.

    rows
        for each node the backend's row; None for calls.
    slots
        what to print for an argument that is not simply the node's own: node number and source to a
        `slots.Ref`, or to a tuple with some in it. Raw weights count as nodes -1, -2, ...
    """

    name: str
    keys: tuple[str, ...]
    graph: Graph
    rows: tuple[Row | None, ...]
    params: tuple[Parameter, ...] = ()
    slots: dict[tuple[int, str], Any] = field(default_factory=dict)

    def arguments(self, key: str) -> dict[str, Any]:
        """The constructor arguments of one instance."""
        index = self.keys.index(key) if len(self.keys) > 1 else 0
        return {param.name: param.values[index] for param in self.params}


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The classes of a model, callees first, and the class and graph of every key."""

    plans: tuple[Plan, ...]
    of: dict[str, Plan]
    graphs: dict[str, Graph]


def outline(program: Program, key: str | Sequence[str], backend: Backend) -> Outline:
    """The classes to print for the graph `key` (or several) of a lowered program."""
    work = _Outliner(program, backend)
    entries = [key] if isinstance(key, str) else list(key)
    for name, keys in _by_name(program, entries):
        work.definition(name, keys, is_entry=not set(entries).isdisjoint(keys))
    return Outline(tuple(work.plans), work.of, program.graphs)


def _by_name(program: Program, entries: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The graphs reachable from `entries` by the name of their definition, callees first.

    Definitions of one name, such as two files may have, are one group, unless they use each other.
    """
    groups: list[tuple[str, list[str]]] = []
    of: dict[str, int] = {}
    latest: dict[str, int] = {}
    after: list[set[int]] = []  # a group must wait for those that any of its graphs calls

    def waits_for(callees: set[int], group: int) -> bool:
        """Whether the callees, or what they use, are or use `group`."""
        waiting, seen = list(callees), set(callees)
        while waiting:
            new = after[waiting.pop()] - seen
            waiting.extend(new)
            seen |= new
        return group in seen

    def visit(key: str) -> None:
        if key in of:
            return
        called = list(dict.fromkeys(n.op.graph for n in program.graphs[key].nodes if isinstance(n.op, Call)))
        for callee in called:
            visit(callee)
        name, callees = program.graphs[key].name, {of[callee] for callee in called}
        group = latest.get(name, -1)
        if group < 0 or waits_for(callees, group):
            group = latest[name] = len(groups)
            groups.append((name, []))
            after.append(set())
        groups[group][1].append(key)
        after[group] |= callees
        of[key] = group

    for entry in entries:
        visit(entry)
    done: dict[int, tuple[str, list[str]]] = {}

    def place(group: int) -> None:
        if group not in done:
            for callee in sorted(after[group]):
                place(callee)
            done[group] = groups[group]

    for group in range(len(groups)):
        place(group)
    return list(done.values())


class _Outliner:
    def __init__(self, program: Program, backend: Backend) -> None:
        self.program, self.backend = program, backend
        self.plans: list[Plan] = []
        self.of: dict[str, Plan] = {}

    def definition(self, name: str, keys: Sequence[str], *, is_entry: bool) -> None:
        """Plan the classes of one block: usually one."""
        rows = {key: self._rows(self.program.graphs[key]) for key in keys}
        groups: dict[str, list[str]] = {}
        for key in keys:
            groups.setdefault(self._structure(key, rows[key]) if len(keys) > 1 else "", []).append(key)
        variants = [[self.program.graphs[key] for key in group] for group in groups.values()]
        names = variant_names(name, variants, {plan.name for plan in self.plans})
        for class_name, group, graphs in zip(names, groups.values(), variants, strict=True):
            params, slots = self._slots(graphs, rows[group[0]], is_entry)
            plan = Plan(class_name, tuple(group), graphs[0], rows[group[0]], params, slots)
            self.plans.append(plan)
            self.of.update((key, plan) for key in group)

    def _rows(self, graph: Graph) -> tuple[Row | None, ...]:
        row, types = self.backend.row, graph.input_types
        return tuple(None if isinstance(n.op, Call) else row(n.op, types(n)) for n in graph.nodes)

    def _slots(
        self, graphs: Sequence[Graph], rows: Sequence[Row | None], is_entry: bool
    ) -> tuple[tuple[Parameter, ...], dict[tuple[int, str], Any]]:
        first = graphs[0]
        linked = self._linked(first, rows) if len(graphs) == 1 else None
        if linked == {}:
            return (), {}
        slots = Slots(graphs, is_entry, linked)
        for index, row in enumerate(rows):
            if linked is None or first.nodes[index].sources or first.params:
                slots.node(index, [self._given(graph, index, row) for graph in graphs])
        raw = [raw_weights(graph) for graph in graphs]
        for index in range(len(raw[0])):
            slots.node(-1 - index, [{"shape": weights[index].type.shape} for weights in raw])
        return slots.parameters(), slots.found

    def _linked(self, graph: Graph, rows: Sequence[Row | None]) -> dict[tuple[int, str], str]:
        """Which arguments of a graph that has no like are the value of one of its parameters."""
        used = dict.fromkeys(param for node in graph.nodes for param in node.sources.values())
        return {
            place: param
            for param in used
            if param in graph.params and is_plain(collapse(graph.params[param]))
            for place in links(graph, param, rows, self._values, self.backend)
        }

    def _given(self, graph: Graph, index: int, row: Row | None) -> dict[str, Any]:
        node = graph.nodes[index]
        return self._values(node, row, graph.input_types(node))

    def _values(self, node: Node, row: Row | None, types: tuple[TensorType | None, ...]) -> dict[str, Any]:
        """What the row mentions of a node, by source: its own fields and facts, not operands."""
        if isinstance(node.op, Call):
            given = self.of[node.op.graph].arguments(node.op.graph)
            return {**given, "repeat": node.op.repeat} if node.op.repeat > 1 else given
        assert row is not None
        if row.op in ("constant", "size"):
            return {
                field: getattr(node.op, field)
                for field in ("value", "dim", "dtype")
                if hasattr(node.op, field)
            }
        facts = node.op.facts(*types) if row.sources else {}
        fields = type(node.op).model_fields
        # A row that makes a raw weight says `fresh`, in which its shape stands.
        sources = [*row.sources, "shape"] if "fresh" in row.sources else row.sources
        return {
            source: facts[name] if name in facts else getattr(node.op, name)
            for source in sources
            if (name := source.partition("|")[0]) in facts or name in fields
        }

    def _structure(self, key: str, rows: Sequence[Row | None]) -> str:
        """What instances of one class have in common: all but the values of slots."""
        graph = self.program.graphs[key]
        places = {
            str(dim): symbol(f"{value.name}.{axis}")
            for value in reversed(graph.inputs)
            for axis, dim in enumerate(value.type.shape)
            if isinstance(dim, Symbolic)
        }
        nodes = []
        for node, row in zip(graph.nodes, rows, strict=True):
            values = self._values(node, row, graph.input_types(node))
            slots = [(source, _skeleton(value, "|" in source, places)) for source, value in values.items()]
            owner = (
                (self.of[node.op.graph].name, node.op.repeat, node.op.carried)
                if isinstance(node.op, Call)
                else (id(row), node.frozen, [str(v) for _, v in node.op if isinstance(v, Init)])
            )
            nodes.append((node.inputs, node.outputs, node.name, sorted(node.weights.items()), owner, slots))
        inits = [(w.name, str(w.init), w.trainable, w.type.rank) for w in raw_weights(graph)]
        return repr(([value.name for value in graph.inputs], [o.value for o in graph.outputs], nodes, inits))


def raw_weights(graph: Graph) -> list[Weight]:
    """The weights that no layer of the graph owns."""
    owned = {path for node in graph.nodes for path in node.weights.values()}
    return [weight for weight in graph.weights if weight.name not in owned]


def _skeleton(value: Any, fixed: bool, places: Mapping[str, Symbolic]) -> Any:
    """What of an argument must be the same in all instances: everything but plain numbers and words."""
    if isinstance(value, Symbolic):
        return str(places.get(str(value)) or substitute(value, places))
    if isinstance(value, (list, tuple)):
        return [_skeleton(item, fixed, places) for item in value]
    return "value" if isinstance(value, (int, float, str)) and not fixed else str(value)

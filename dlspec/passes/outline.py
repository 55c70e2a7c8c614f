"""Which classes to print: instances of one block that are alike but for attribute values share one class.

For every slot (an argument of a node that the backend's row mentions) the values over the instances are
compared, see `slots`. Instances that differ in structure are classes of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlspec.ir.dims import Dim, Symbolic, substitute, symbol
from dlspec.ir.graph import Call, Graph, Node, Program, Weight
from dlspec.ir.op import Init
from dlspec.ir.traced import Traced, size_variables
from dlspec.ir.types import TensorType
from dlspec.passes.dependence import Dependence
from dlspec.passes.naming import variant_names
from dlspec.passes.slots import Parameter, Slots, is_word, remembered

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend, Row


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One class to print: the graphs that are its instances, one of them to print from, and its parameters.

    rows
        for each node the backend's row; None for calls.
    slots
        what to print for an argument that is not simply the node's own: node number and source to an
        `slots.Expression`, or to a tuple with some in it. Raw weights count as nodes -1, -2, ...
    """

    name: str
    keys: tuple[str, ...]
    graph: Graph
    rows: tuple[Row | None, ...]
    params: tuple[Parameter, ...] = ()
    slots: dict[tuple[int, str], Any] = field(default_factory=dict)

    @property
    def names(self) -> dict[str, str]:
        """Constructor parameters by the variables that they are."""
        return {param.variable: param.name for param in self.params}

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
        alike: dict[str, list[str]] = {}
        for key in keys:
            alike.setdefault(self._structure(key, rows[key]) if len(keys) > 1 else "", []).append(key)
        groups = [part for group in alike.values() for part in self._told_apart(group, rows)]
        variants = [[self.program.graphs[key] for key in group] for group in groups]
        names = variant_names(name, variants, {plan.name for plan in self.plans})
        for class_name, group in zip(names, groups, strict=True):
            plan = self._plan(class_name, group, rows, is_entry)
            self.plans.append(plan)
            self.of.update((key, plan) for key in group)

    def _told_apart(
        self, keys: Sequence[str], rows: Mapping[str, tuple[Row | None, ...]]
    ) -> list[list[str]]:
        """Instances that one class can print, of those that are alike but for numbers."""
        unsaid = self._slots(keys, rows[keys[0]], False, None).unsaid if len(keys) > 1 else []
        groups: dict[str, list[str]] = {}
        for index, key in enumerate(keys):
            groups.setdefault(repr([vector[index] for vector in unsaid]), []).append(key)
        return list(groups.values())

    def _rows(self, graph: Graph) -> tuple[Row | None, ...]:
        row, types = self.backend.row, graph.input_types
        return tuple(None if isinstance(n.op, Call) else row(n.op, types(n)) for n in graph.nodes)

    def _plan(
        self, name: str, keys: Sequence[str], rows: Mapping[str, tuple[Row | None, ...]], is_entry: bool
    ) -> Plan:
        """The class for instances that are alike. Of an entry, variables that may not change are numbers."""
        own = rows[keys[0]]
        plan = self._with_slots(name, keys, own, is_entry, None)
        if not is_entry or not plan.params:
            return plan
        trial = Dependence(self.program.graphs, self.of, self._values, self.backend)
        allowed = {
            param.variable
            for param in plan.params
            if all(trial.may_change(plan, key, param.variable) for key in keys)
        }
        everything = {param.variable for param in plan.params}
        return plan if allowed == everything else self._with_slots(name, keys, own, is_entry, allowed)

    def _with_slots(
        self,
        name: str,
        keys: Sequence[str],
        rows: tuple[Row | None, ...],
        is_entry: bool,
        allowed: Collection[str] | None,
    ) -> Plan:
        slots = self._slots(keys, rows, is_entry, allowed)
        return Plan(name, tuple(keys), slots.graphs[0], rows, slots.parameters(), slots.found)

    def _slots(
        self,
        keys: Sequence[str],
        rows: tuple[Row | None, ...],
        is_entry: bool,
        allowed: Collection[str] | None,
    ) -> Slots:
        graphs = [self.program.graphs[key] for key in keys]
        slots = Slots(graphs, is_entry=is_entry, allowed=allowed)
        for index, row in enumerate(rows):
            values = [self._given(graph, index, row) for graph in graphs]
            sources = [self._sources(graph.nodes[index]) for graph in graphs]
            slots.node(index, values, sources, in_constructor=self._is_made(graphs[0].nodes[index], row))
        raw = [raw_weights(graph) for graph in graphs]
        for index in range(len(raw[0])):
            slots.node(-1 - index, [{"shape": weights[index].type.shape} for weights in raw], [{}] * len(raw))
        return slots

    def _is_made(self, node: Node, row: Row | None) -> bool:
        """Whether a node is an object that the constructor makes."""
        if isinstance(node.op, Call):
            return not self.program.graphs[node.op.graph].function
        return row is not None and row.kind == "init"

    def _sources(self, node: Node) -> Mapping[str, Dim]:
        """What gave the arguments of a node that are no whole numbers."""
        if not isinstance(node.op, Call):
            return node.sources
        params = self.of[node.op.graph].params
        return {p.name: node.sources[p.variable] for p in params if p.variable in node.sources}

    def _given(self, graph: Graph, index: int, row: Row | None) -> dict[str, Any]:
        node = graph.nodes[index]
        return self._values(node, row, graph.input_types(node))

    def _values(self, node: Node, row: Row | None, types: tuple[TensorType | None, ...]) -> dict[str, Any]:
        """What the row mentions of a node, by source: its own fields and facts, not operands."""
        if isinstance(node.op, Call):
            return self._arguments(node, node.op, types)
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

    def _arguments(self, node: Node, op: Call, types: tuple[TensorType | None, ...]) -> dict[str, Any]:
        """What a call passes to the constructor of its class, with what gave it."""
        plan, callee = self.of[op.graph], self.program.graphs[op.graph]
        sizes = size_variables([value.type for value in callee.inputs], callee.params)
        operands = [kind for kind in types if kind is not None]
        given: dict[str, Any] = {}
        for param in plan.params:
            value = given[param.name] = plan.arguments(op.graph)[param.name]
            source = node.sources.get(param.variable)
            if param.variable in sizes:
                position, axis = sizes[param.variable]
                given[param.name] = operands[position].shape[axis]
            elif isinstance(source, Symbolic) and type(value) is int:
                given[param.name] = Traced(value, source)
        return {**given, "repeat": op.repeat} if op.repeat > 1 else given

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
            slots = [(source, _skeleton(value, is_word(source), places)) for source, value in values.items()]
            owner = (
                (self.of[node.op.graph].name, node.op.repeat > 1, node.op.carried)
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
        value = remembered(value) or value
        return str(places.get(str(value)) or substitute(value, places))
    if isinstance(value, (list, tuple)):
        return [_skeleton(item, fixed, places) for item in value]
    return "value" if isinstance(value, (int, float, str)) and not fixed else str(value)

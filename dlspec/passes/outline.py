"""Which classes to print: instances of one block that are alike but for attribute values share one class.

For every slot (an argument of a node that the backend's row mentions) the values over the instances are
compared, see `slots`. Instances that differ in structure are classes of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlspec.ir.dims import Dim, Symbolic, substitute, symbol, symbols
from dlspec.ir.graph import Call, Graph, Node, Program, Weight
from dlspec.ir.op import Init
from dlspec.ir.traced import Traced, size_variables, variables
from dlspec.ir.types import TensorType
from dlspec.passes.dependence import Dependence
from dlspec.passes.expressions import is_word, remembered
from dlspec.passes.naming import variant_names
from dlspec.passes.options import NUMBERS, Lacking, Option, align, parts, renamed
from dlspec.passes.reach import by_name
from dlspec.passes.slots import Parameter, Slots
from dlspec.passes.unset import unset_params

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
    options
        nodes that only some of the instances have.
    """

    name: str
    keys: tuple[str, ...]
    graph: Graph
    rows: tuple[Row | None, ...]
    params: tuple[Parameter, ...] = ()
    slots: dict[tuple[int, str], Any] = field(default_factory=dict)
    options: tuple[Option, ...] = ()

    @property
    def names(self) -> dict[str, str]:
        """Constructor parameters by the variables that they are."""
        return {param.variable: param.name for param in self.params}

    def nodes(self, graph: Graph) -> Iterator[tuple[int, Node, Row | None]]:
        """The nodes of one instance, which may lack some of the class, with their numbers there and their rows."""
        if len(graph.nodes) == len(self.rows):
            yield from zip(range(len(self.rows)), graph.nodes, self.rows, strict=True)
            return
        places = {node.outputs: index for index, node in enumerate(self.graph.nodes)}
        for node in graph.nodes:
            index = places[node.outputs]
            yield index, node, self.rows[index]

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
    entries = [key] if isinstance(key, str) else list(key)
    groups = by_name(program, entries)
    work = _Outliner(program, backend, unset_params(program.graphs, groups, entries))
    for name, keys in groups:
        work.definition(name, keys, is_entry=not set(entries).isdisjoint(keys))
    return Outline(tuple(work.plans), work.of, work.graphs)


@dataclass(slots=True)
class _Variant:
    """The instances of one class, the one with the most nodes, and what others lack."""

    keys: list[str]
    full: str
    lacking: list[Lacking] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Structure:
    """What must be alike in all instances of a class: of each node, around them, and how they hang together."""

    nodes: list[Any]
    around: Any
    wiring: Any


class _Outliner:
    def __init__(self, program: Program, backend: Backend, unset: Mapping[str, Collection[str]]) -> None:
        self.graphs, self.backend, self.unset = dict(program.graphs), backend, unset
        self.plans: list[Plan] = []
        self.of: dict[str, Plan] = {}

    def definition(self, name: str, keys: Sequence[str], *, is_entry: bool) -> None:
        """Plan the classes of one block: usually one."""
        rows = {key: self._rows(self.graphs[key]) for key in keys}
        groups: dict[str, list[str]] = {}
        for key in keys:
            groups.setdefault(repr(self._structure(key, rows[key])) if len(keys) > 1 else "", []).append(key)
        variants = self._with_options(list(groups.values()), rows) if len(groups) > 1 else [
            _Variant(list(keys), keys[0])
        ]  # fmt: skip
        graphs = [[self.graphs[variant.full]] for variant in variants]
        names = variant_names(name, graphs, {plan.name for plan in self.plans})
        for class_name, variant in zip(names, variants, strict=True):
            plan = self._plan(class_name, variant, rows[variant.full], is_entry)
            self.plans.append(plan)
            self.of.update((key, plan) for key in variant.keys)

    def _with_options(
        self, groups: Sequence[list[str]], rows: Mapping[str, tuple[Row | None, ...]]
    ) -> list[_Variant]:
        """Instances with different nodes as one class with options, as far as they can be aligned."""
        waiting = sorted(groups, key=lambda keys: -len(self.graphs[keys[0]].nodes))
        variants: list[_Variant] = []
        for keys in waiting:
            if not any(self._joins(variant, keys, rows) for variant in variants):
                variants.append(_Variant(list(keys), keys[0]))
        return sorted(variants, key=lambda v: min(self._order(groups, key) for key in v.keys))

    @staticmethod
    def _order(groups: Sequence[list[str]], key: str) -> int:
        return next(index for index, keys in enumerate(groups) if key in keys)

    def _joins(self, variant: _Variant, keys: list[str], rows: Mapping[str, tuple[Row | None, ...]]) -> bool:
        """Let instances join a class whose nodes are theirs and more, if they can."""
        full = self._structure(variant.full, rows[variant.full])
        own = self._structure(keys[0], rows[keys[0]])
        if full.around != own.around:
            return False
        graphs = self.graphs[variant.full], self.graphs[keys[0]]
        lacking = align(graphs[0], _exact(graphs[0], full), graphs[1], _exact(graphs[1], own))
        written_out = lacking and any(
            graphs[0].nodes[index].name and not graphs[0].nodes[index].condition for index in lacking.nodes
        )  # more rounds of a `for`, not the branch of an `if`
        if lacking is None or written_out or not lacking.nodes or parts([*variant.lacking, lacking]) is None:
            return False
        variant.lacking.append(lacking)
        variant.keys.extend(keys)
        for key in keys:
            self.graphs[key] = renamed(self.graphs[key], lacking.values)
        return True

    def _rows(self, graph: Graph) -> tuple[Row | None, ...]:
        row, types = self.backend.row, graph.input_types
        return tuple(None if isinstance(n.op, Call) else row(n.op, types(n)) for n in graph.nodes)

    def _plan(self, name: str, variant: _Variant, rows: tuple[Row | None, ...], is_entry: bool) -> Plan:
        """The class for instances that are alike. Of an entry, variables that may not change are numbers."""
        plan = self._with_slots(name, variant, rows, is_entry, None)
        if not is_entry or not plan.params:
            return plan
        trial = Dependence(self.graphs, self.of, self._values, self.backend)
        allowed = {
            param.variable
            for param in plan.params
            if all(trial.may_change(plan, key, param.variable) for key in variant.keys)
        }
        everything = {param.variable for param in plan.params}
        return plan if allowed == everything else self._with_slots(name, variant, rows, is_entry, allowed)

    def _with_slots(
        self,
        name: str,
        variant: _Variant,
        rows: tuple[Row | None, ...],
        is_entry: bool,
        allowed: Collection[str] | None,
    ) -> Plan:
        full, graphs = self.graphs[variant.full], [self.graphs[key] for key in variant.keys]
        slots = Slots(graphs, is_entry=is_entry, allowed=allowed, unset=self.unset[variant.full])
        places = [{node.outputs: index for index, node in enumerate(graph.nodes)} for graph in graphs]
        for index, row in enumerate(rows):
            outputs = full.nodes[index].outputs
            found = [where.get(outputs) for where in places]
            values = [
                None if i is None else self._given(g, i, row) for g, i in zip(graphs, found, strict=True)
            ]
            sources = [
                None if i is None else self._sources(g.nodes[i]) for g, i in zip(graphs, found, strict=True)
            ]
            slots.node(index, values, sources, in_constructor=self._is_made(full.nodes[index], row))
        raw = [raw_weights(graph) for graph in graphs]
        for index in range(len(raw[0])):
            slots.node(-1 - index, [{"shape": weights[index].type.shape} for weights in raw], [{}] * len(raw))
        options = []
        for nodes, instead in parts(variant.lacking) or []:
            there = tuple(full.nodes[nodes[0]].outputs in where for where in places)
            own = {o for index in nodes for o in full.nodes[index].outputs}
            told = {full.nodes[index].condition for index in nodes} - {""}
            used = [full.nodes[index] for index in nodes]
            pads = all(node.op.spec_name() == "pad" for node in used)
            hints = variables([dict(node.op) for node in used])
            hints |= {name for node in used for dim in node.sources.values() for name in symbols(dim)}
            condition = (slots.padded(nodes, there) if pads and not told else "") or slots.condition(
                told, there, self._flag(full, nodes, own & instead.keys()), hints
            )
            options.append(Option(nodes, condition, {v: o for v, o in instead.items() if v in own}))
        return Plan(name, tuple(variant.keys), full, rows, slots.parameters(), slots.found, tuple(options))

    def _flag(self, full: Graph, nodes: Sequence[int], results: Collection[str]) -> str:
        """What to call a parameter that says whether nodes are there, where no condition can be printed."""
        named = [value.partition("@")[0] for value in sorted(results) if not value.startswith("%")]
        made = [full.nodes[index].name for index in nodes if full.nodes[index].name]
        return f"with_{[*made, *named, 'option'][0]}"

    def _is_made(self, node: Node, row: Row | None) -> bool:
        """Whether a node is an object that the constructor makes."""
        if isinstance(node.op, Call):
            return not self.graphs[node.op.graph].function
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
        plan, callee = self.of[op.graph], self.graphs[op.graph]
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

    def _structure(self, key: str, rows: Sequence[Row | None]) -> _Structure:
        """What instances of one class have in common: all but the values of slots."""
        graph = self.graphs[key]
        places = {
            str(dim): symbol(f"{value.name}.{axis}")
            for value in reversed(graph.inputs)
            for axis, dim in enumerate(value.type.shape)
            if isinstance(dim, Symbolic)
        }
        kinds, wiring = [], []
        for node, row in zip(graph.nodes, rows, strict=True):
            values = self._values(node, row, graph.input_types(node))
            slots = [(source, _skeleton(value, is_word(source), places)) for source, value in values.items()]
            owner = (
                (self.of[node.op.graph].name, node.op.repeat > 1, node.op.carried)
                if isinstance(node.op, Call)
                else (id(row), node.frozen, [str(v) for _, v in node.op if isinstance(v, Init)])
            )
            named = [output for output in node.outputs if not output.startswith("%")]
            kinds.append((len(node.outputs), named, node.name, sorted(node.weights.items()), owner, slots))
            wiring.append((node.inputs, node.outputs))
        inits = [(w.name, str(w.init), w.trainable, w.type.rank) for w in raw_weights(graph)]
        # where sizes are read: the same blocks may be given one layout here and another there
        sizes = sorted(size_variables([value.type for value in graph.inputs], graph.params).items())
        around = ([value.name for value in graph.inputs], inits, sizes)
        return _Structure(kinds, around, (wiring, [o.value for o in graph.outputs]))


def _exact(graph: Graph, structure: _Structure) -> list[Any]:
    """What must be alike of nodes that are aligned: numbers must be the same."""
    pairs = zip(graph.nodes, structure.nodes, strict=True)
    return [(kind, str(node.op)) if node.op.spec_name() in NUMBERS else kind for node, kind in pairs]


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

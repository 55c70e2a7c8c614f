"""Lowering: every operator that a backend lacks is replaced by its decomposition.

Functions are replaced in place. An operator with weights becomes a call of a small graph named after it,
which owns the weights under the same local names, so that canonical paths (``norm.weight``) stay.
After this pass every node is a `Call` or has a row in the backend's manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import Symbolic
from dlspec.ir.graph import Call, Graph, Node, Output, Program, Weight
from dlspec.ir.op import Op
from dlspec.ir.traced import Traced, lone_variable, untraced, variable
from dlspec.ir.types import TensorType
from dlspec.ops.constants import Constant

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

Types = tuple[TensorType | None, ...]


def lower(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program in which the graphs `keys`, and all they call, use only what `backend` can print.

    Raises `SpecError` (DLS0702) that names every operator that can be neither printed nor decomposed.
    """
    work = _Lowering(program, backend)
    for key in keys:
        work.lower(key)
    if work.errors:
        raise SpecError(work.errors)
    return program.model_copy(update={"graphs": work.graphs}) if work.changed else program


class _Lowering:
    """The graphs of a program while they are lowered, callees first."""

    def __init__(self, program: Program, backend: Backend) -> None:
        self.backend = backend
        self.graphs: dict[str, Graph] = dict(program.graphs)
        self.errors: list[Diagnostic] = []
        self.changed = False
        self._done: set[str] = set()
        self._modules: dict[tuple[str, str], str | None] = {}

    def lower(self, key: str) -> None:
        """Lower the graph `key` and all that it calls."""
        if key in self._done:
            return
        self._done.add(key)
        body = _Body(self, self.graphs[key])
        lowered = body.run()
        if lowered is not None:
            self.graphs[key] = lowered
            self.changed = True

    def module(self, node: Node, types: Types) -> str | None:
        """The key of the graph that stands for an operator with weights; equal ones share it."""
        wanted = (repr(node.op), ", ".join(map(str, types)))
        if wanted not in self._modules:
            graph = self._module_graph(node, types)
            key = _unused(node.op.spec_name(), self.graphs) if graph else None
            self._modules[wanted] = key
            if graph and key:
                self.graphs[key] = graph
                self.lower(key)
        return self._modules[wanted]

    def _module_graph(self, node: Node, types: Types) -> Graph | None:
        op, types, params = _on_its_own(node.op, types)
        builder = Builder(op.spec_name(), params=params)
        handles = [
            None if kind is None else builder.input(name.strip("?*"), kind)
            for name, kind in zip(op.operands, types, strict=False)
        ]
        weights = {spec.name: builder.weight(_weight(spec)) for spec in op.weights(*types)}
        results = self.decompose(node.model_copy(update={"op": op}), builder, handles, weights)
        if results is None:
            return None
        for index, handle in enumerate(results):
            builder.output("y" if len(results) == 1 else f"y{index + 1}", handle)
        graph = builder.build()
        nodes = tuple(inner.model_copy(update={"location": node.location}) for inner in graph.nodes)
        doc = (type(op).__doc__ or "").strip().partition("\n")[0]
        return graph.model_copy(update={"doc": doc, "nodes": nodes})

    def decompose(
        self, node: Node, builder: Builder, handles: list[Handle | None], weights: dict[str, Handle]
    ) -> list[Handle] | None:
        """The results of the decomposition, built in `builder`; None, and an error noted, if there is none."""
        results: Any = node.op.decompose(builder, *handles, **weights)
        if results is NotImplemented:
            self.errors.append(_cannot(node, self.backend.name))
            return None
        return list(results) if isinstance(results, (list, tuple)) else [results]


class _Body:
    """One graph while its nodes are replaced."""

    def __init__(self, work: _Lowering, graph: Graph) -> None:
        self.work, self.graph = work, graph
        self.types: dict[str, TensorType] = {}  # of new values
        self.moved: set[str] = set()  # weights that a callee owns now
        self.count = 0  # values made so far
        self.aliases: dict[str, str] = {}  # a value that is only another one
        self.constants = {n.output: n.op.value for n in graph.nodes if isinstance(n.op, Constant)}

    def run(self) -> Graph | None:
        """The graph with legal nodes only; None when it is legal already."""
        graph = self.graph
        nodes = [new for node in graph.nodes for new in self.replace(node)]
        if len(nodes) == len(graph.nodes) and all(a is b for a, b in zip(nodes, graph.nodes, strict=True)):
            return None
        outputs = (Output(name=o.name, value=self.aliases.get(o.value, o.value)) for o in graph.outputs)
        return graph.model_copy(
            update={
                "nodes": tuple(nodes),
                "outputs": tuple(outputs),
                "weights": tuple(w for w in graph.weights if w.name not in self.moved),
                "types": {**graph.types, **self.types},
            }
        )

    def replace(self, node: Node) -> Iterator[Node]:
        """What stands in place of `node`."""
        if self.aliases and any(name in self.aliases for name in node.inputs):
            inputs = tuple(self.aliases.get(n, n) if n else n for n in node.inputs)
            node = node.model_copy(update={"inputs": inputs})
        if isinstance(node.op, Call):
            self.work.lower(node.op.graph)
            yield node
            return
        types = tuple(self._type(name) if name else None for name in node.inputs)
        if self.work.backend.row(node.op, types) is not None:
            yield node
        elif node.weights:
            yield from self._as_call(node, types)
        else:
            for inner in self._inlined(node, types):
                yield from self.replace(inner)

    def _type(self, name: str) -> TensorType:
        return self.types[name] if name in self.types else self.graph.types[name]

    def _as_call(self, node: Node, types: Types) -> Iterator[Node]:
        key = self.work.module(node, types)
        if key is not None:
            self.moved.update(node.weights.values())
            inputs = tuple(name for name in node.inputs if name is not None)
            facts = {**dict(node.op), **node.op.facts(*types)}
            sources = {
                name: value.expr
                for name, value in facts.items()
                if isinstance(value, Traced) and isinstance(value.expr, Symbolic)
            }
            update = {
                "op": Call(graph=key), "inputs": inputs, "weights": {}, "sources": {**node.sources, **sources},
            }  # fmt: skip
            yield node.model_copy(update=update)

    def _inlined(self, node: Node, types: Types) -> list[Node]:
        """The decomposition of a node, its values renamed into this graph."""
        builder = Builder(node.op.spec_name())
        names: dict[str, str] = {}
        handles: list[Handle | None] = []
        for i, (name, kind) in enumerate(zip(node.inputs, types, strict=True)):
            handles.append(None if kind is None else builder.input(f"operand{i}", kind))
            names[f"operand{i}"] = name or ""
            if name in self.constants:
                builder.known[f"operand{i}"] = self.constants[name]
        results = self.work.decompose(node, builder, handles, {})
        if results is None:
            return []
        stem = node.output if node.output.startswith("%") else f"%{node.output}"
        made = [output for inner in builder.nodes for output in inner.outputs]
        names.update((value, f"{stem}.{i}") for i, value in enumerate(made, start=self.count))
        self.count += len(made)  # the last part of a decomposition may be decomposed under the same stem
        final = dict.fromkeys(made)
        for output, handle in zip(node.outputs, results, strict=False):
            if handle.name in final and final[handle.name] is None:
                final[handle.name] = names[handle.name] = output
            else:  # an operand, or one result under two names
                self.aliases[output] = names[handle.name]
        self.types.update((names[value], builder.types[value]) for value in made)
        return [
            inner.model_copy(
                update={
                    "inputs": tuple(None if i is None else names[i] for i in inner.inputs),
                    "outputs": tuple(names[o] for o in inner.outputs),
                    "condition": node.condition,
                    "location": node.location,
                }
            )
            for inner in builder.nodes
        ]


def _on_its_own(op: Op, types: Types) -> tuple[Op, Types, dict[str, Any]]:
    """An operator as a block of its own: its whole numbers and the sizes of its operands are variables, which are
    called as the operator calls them. Also all that is known of it, by name.
    """
    fields = {n: variable(n, v) if type(v) in (int, Traced) else untraced(v) for n, v in op}
    op = op.model_copy(update=fields)

    def sized(names: Mapping[str, str]) -> Types:
        return tuple(
            kind
            and kind.with_shape(
                [
                    variable(names.get(f"{name}_{axis}", f"{name}_{axis}"), dim)
                    if isinstance(dim, int)
                    else dim
                    for axis, dim in enumerate(untraced(kind.shape))
                ]
            )
            for name, kind in zip((n.strip("?*") for n in op.operands), types, strict=False)
        )

    places = {
        lone_variable(v): n for n, v in op.facts(*sized({})).items() if lone_variable(v) not in ("", *fields)
    }
    known = {**dict(op), **op.facts(*types)}
    return op, sized(places), {n: untraced(v) for n, v in known.items() if n not in places.values()}


def _weight(spec: Any) -> Weight:
    fields = ("name", "type", "init", "trainable", "fan_in", "fan_out")
    return Weight.model_construct(**{field: getattr(spec, field) for field in fields})


def _cannot(node: Node, backend: str) -> Diagnostic:
    place = node.location
    where = f" ({place.file}:{place.line}:{place.column})" if place else ""
    return Diagnostic(
        "DLS0702",
        f"the {backend} backend has neither `{node.op}` nor the simpler operators that it is made of{where}",
        hint="use another operator, or compile for another backend",
    )


def _unused(name: str, taken: Iterable[str]) -> str:
    names, count, key = set(taken), 1, name
    while key in names:
        count += 1
        key = f"{name}#{count}"
    return key

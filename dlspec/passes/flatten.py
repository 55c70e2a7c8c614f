"""Flattening: every call replaced by the nodes of its graph, repeats unrolled.

The result has no `Call`. Values of an instance are named by its path (``layer.0.h``), and so are its
weights, whose names are thereby the canonical ones (``layer.0.conv1.weight``). A graph's own values keep
their names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from dlspec.ir.dims import Dim, Symbolic, substitute, symbol
from dlspec.ir.graph import Call, Graph, Node, Output, Program, Value, Weight, instance_paths
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType


def flatten(program: Program, key: str) -> Graph:
    """The graph `key` with all calls inlined. Takes time in proportion to the nodes of the result."""
    graph = program.graphs[key]
    if not any(isinstance(node.op, Call) for node in graph.nodes):
        return graph
    flat = _Flat(program, graph.inputs)
    outputs = flat.inline(graph, [value.name for value in graph.inputs], "", "")
    return flat.graph(graph, graph.inputs, outputs)


def inline_functions(program: Program, key: str, models: Collection[str] = ()) -> Program:
    """The program in which the graph `key` calls nothing but `models`, and blocks with weights: the nodes of
    pure functions and of blocks that only draw stand in their place.

    For what is printed as the body of a method, beside which there is no room for functions and classes.
    """
    graph = program.graphs[key]
    called = {node.op.graph for node in graph.nodes if isinstance(node.op, Call)}
    kept = {name for name in called if name in models or next(program.all_weights(name), None) is not None}
    if kept == called:
        return program
    bodies = {id(program.graphs[name]) for name in kept}
    flat = _Flat(program, graph.inputs, keep=lambda callee: id(callee) in bodies)
    outputs = flat.inline(graph, [value.name for value in graph.inputs], "", "")
    made = flat.graph(graph, graph.inputs, outputs).model_copy(update={"weights": graph.weights})
    made = renamed_values(made, _short_names(made, taken=graph.types))
    return program.model_copy(update={"graphs": {**program.graphs, key: made}})


def _short_names(graph: Graph, taken: Collection[str]) -> dict[str, str]:
    """New names for the values that nodes make, without the path of the use they come from: ``margin.hit``
    is ``hit`` where that is free, and what had no name still has none (``%margin.5``).
    """
    names: dict[str, str] = {}
    used = set(taken)
    for value in (output for node in graph.nodes for output in node.outputs if output not in taken):
        short = f"%{value.replace('%', '')}" if "%" in value else value.rpartition(".")[2]
        names[value] = short if short not in used else value.replace(".", "_")
        used.add(names[value])
    return names


def renamed_values(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The graph in which values are called as `names` says; those that it does not have keep their names."""
    nodes = [
        node.model_copy(
            update={
                "inputs": tuple(name and names.get(name, name) for name in node.inputs),
                "outputs": tuple(names.get(name, name) for name in node.outputs),
            }
        )
        for node in graph.nodes
    ]
    outputs = [o.model_copy(update={"value": names.get(o.value, o.value)}) for o in graph.outputs]
    types = {names.get(name, name): kind for name, kind in graph.types.items()}
    return graph.model_copy(update={"nodes": tuple(nodes), "outputs": tuple(outputs), "types": types})


def prepend(first: Graph, second: Graph, prefix: str = "prepare.") -> Graph:
    """`second` fed by the outputs of `first` of the same names as its inputs; both without calls.

    Inputs that `first` does not produce stay. What `first` computes for nobody is dropped, and so are its
    inputs that nobody reads.
    """
    flat = _Flat(Program.model_construct(graphs={}), (*second.inputs, *first.inputs))
    produced = flat.inline(first, [value.name for value in first.inputs], prefix, prefix)
    made = {output.name: name for output, name in zip(first.outputs, produced, strict=True)}
    kept = [value for value in second.inputs if value.name not in made]
    outputs = flat.inline(second, [made.get(value.name, value.name) for value in second.inputs], "", "")
    flat.prune(outputs)
    read = {name for node in flat.nodes for name in node.inputs} | set(outputs)
    inputs = [value for value in first.inputs if value.name in read]
    known = {value.name for value in inputs}
    return flat.graph(second, (*inputs, *(v for v in kept if v.name not in known)), outputs)


def bypass(graph: Graph, operators: Collection[str]) -> Graph:
    """A flat graph without these operators, which only hand on their operand (or their one weight)."""
    aliases: dict[str, str] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        source = next(iter(node.weights.values()), None) or (node.inputs[0] if node.inputs else None)
        if source is not None and node.op.spec_name() in operators:
            aliases[node.output] = aliases.get(source, source)
        elif aliases and any(name in aliases for name in node.inputs):
            inputs = tuple(name and aliases.get(name, name) for name in node.inputs)
            kept.append(node.model_copy(update={"inputs": inputs}))
        else:
            kept.append(node)
    if not aliases:
        return graph
    outputs = tuple(
        Output.model_construct(name=o.name, value=aliases.get(o.value, o.value)) for o in graph.outputs
    )
    return graph.model_copy(update={"nodes": tuple(kept), "outputs": outputs})


class _Flat:
    """The flat graph while it grows; calls of graphs that `keep` chooses stay calls."""

    def __init__(
        self, program: Program, inputs: Sequence[Value], keep: Callable[[Graph], bool] = lambda callee: False
    ) -> None:
        self.program, self.keep = program, keep
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {value.name: value.type for value in inputs}
        self.weights: dict[str, Weight] = {}
        self.uses: dict[str, int] = {}

    def graph(self, like: Graph, inputs: Sequence[Value], outputs: Sequence[str]) -> Graph:
        return like.model_copy(
            update={
                "inputs": tuple(inputs),
                "outputs": tuple(
                    Output.model_construct(name=o.name, value=v)
                    for o, v in zip(like.outputs, outputs, strict=True)
                ),
                "weights": tuple(self.weights.values()),
                "nodes": tuple(self.nodes),
                "types": self.types,
            }
        )

    def inline(
        self,
        graph: Graph,
        operands: Sequence[str],
        prefix: str,
        path: str,
        wanted: Mapping[str, str] | None = None,
    ) -> list[str]:
        """Add the nodes of `graph`, its values named `prefix` + name and its weights `path` + name.

        `wanted` gives values of the graph the names that its caller uses. The names of the results.
        """
        names: dict[str, str] = dict(wanted or {})
        names.update((value.name, operand) for value, operand in zip(graph.inputs, operands, strict=True))
        self._own_weights(graph, path, names)
        bound = _bindings(graph.inputs, [self.types[operand] for operand in operands])
        for node in graph.nodes:
            inputs = tuple(None if i is None else self._resolve(graph, names, i, path) for i in node.inputs)
            if isinstance(node.op, Call) and not self.keep(self.program.graphs[node.op.graph]):
                self._call(node, node.op, [i for i in inputs if i is not None], prefix, path, names)
                continue
            for output in node.outputs:
                final = names.setdefault(output, prefix + output)
                self.types[final] = _rebind_type(graph.types[output], bound)
            self.nodes.append(
                Node.model_construct(
                    op=_rebind_op(node.op, bound),
                    inputs=inputs,
                    outputs=tuple(names[output] for output in node.outputs),
                    name=path + node.name if node.name else "",
                    weights={local: path + name for local, name in node.weights.items()},
                    sources=node.sources if isinstance(node.op, Call) else {},
                    frozen=node.frozen,
                    location=node.location,
                )
            )
        return [self._resolve(graph, names, output.value, path) for output in graph.outputs]

    def _resolve(self, graph: Graph, names: Mapping[str, str], name: str, path: str) -> str:
        """The flat name of a value; a name that the graph does not define is a weight of a callee."""
        found = names.get(name)
        if found is None:
            found = path + name
            self.types.setdefault(found, graph.types[name])
        return found

    def _own_weights(self, graph: Graph, path: str, names: dict[str, str]) -> None:
        for weight in graph.weights:
            full = path + weight.name
            names[weight.name] = full
            self.types[full] = weight.type
            if full not in self.weights:
                self.weights[full] = weight if not path else _renamed(weight, full)

    def _call(
        self, node: Node, op: Call, inputs: list[str], prefix: str, path: str, names: dict[str, str]
    ) -> None:
        """Inline a call: copy after copy, the last one producing values under the caller's names."""
        callee = self.program.graphs[op.graph]
        use = self.uses[path + node.name] = self.uses.get(path + node.name, 0) + 1
        again = "" if use == 1 else f"@{use}"  # a shared instance: the same weights, other values
        copies = instance_paths(node)
        made = _made_by(callee)
        results: list[str] = []
        for index, copy in enumerate(copies):
            wanted: dict[str, str] = {}
            if index == len(copies) - 1:
                for output, name in zip(callee.outputs, node.outputs, strict=True):
                    if output.value in made:
                        wanted.setdefault(output.value, names.get(name, prefix + name))
            results = self.inline(callee, inputs, f"{prefix}{copy}{again}.", f"{path}{copy}.", wanted)
            inputs = [*results[: op.carried], *inputs[op.carried :]]
        names.update(zip(node.outputs, results, strict=True))

    def prune(self, outputs: Sequence[str]) -> None:
        """Drop nodes whose results nobody reads."""
        needed, kept = set(outputs), []
        for node in reversed(self.nodes):
            if needed.intersection(node.outputs):
                needed.update(name for name in node.inputs if name)
                kept.append(node)
        self.nodes = kept[::-1]


def _made_by(graph: Graph) -> set[str]:
    """The values that nodes of the graph produce, other than by calls that may only hand on an operand."""
    return {output for node in graph.nodes for output in node.outputs}


def _bindings(inputs: Sequence[Value], types: Sequence[TensorType]) -> dict[str, Dim]:
    """What the symbols of a graph (a model used inside another) stand for where it is called."""
    bound: dict[str, Dim] = {}
    for value, actual in zip(inputs, types, strict=True):
        if value.type is actual or value.type.shape == actual.shape:
            continue
        for dim, given in zip(value.type.shape, actual.shape, strict=True):
            if dim != given and isinstance(dim, Symbolic) and dim == symbol(str(dim)):
                bound.setdefault(str(dim), given)
    return bound


def _rebind_type(kind: TensorType, bound: Mapping[str, Dim]) -> TensorType:
    return kind.with_shape([substitute(dim, bound) for dim in kind.shape]) if bound else kind


def _rebind_op(op: Op, bound: Mapping[str, Dim]) -> Op:
    """`op` with the sizes among its arguments replaced."""
    if not bound:
        return op
    changed = {name: _rebind_value(value, bound) for name, value in op if _has_symbol(value)}
    return op.model_copy(update=changed) if changed else op


def _has_symbol(value: Any) -> bool:
    return isinstance(value, Symbolic) or (isinstance(value, (tuple, list)) and any(map(_has_symbol, value)))


def _rebind_value(value: Any, bound: Mapping[str, Dim]) -> Any:
    if isinstance(value, Symbolic):
        return substitute(value, bound)
    return tuple(_rebind_value(v, bound) for v in value) if isinstance(value, (tuple, list)) else value


def _renamed(weight: Weight, name: str) -> Weight:
    return Weight.model_construct(
        name=name,
        type=weight.type,
        init=weight.init,
        trainable=weight.trainable,
        fan_in=weight.fan_in,
        fan_out=weight.fan_out,
    )

"""Metrics over an epoch: what each batch gives, and what is computed from it once at the end.

`total` and `collect` are where the graph of an evaluation is cut. What leads to them is computed for each batch;
what follows from them, once, from sums and rows over all examples. Results that use neither are means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dlspec.ir.dims import symbols
from dlspec.ir.graph import Call, Graph, Node, Output, Program, Value, reached
from dlspec.ir.prune import pruned
from dlspec.ops.constants import Size
from dlspec.ops.epoch import GATHER
from dlspec.passes.flatten import inline_functions


@dataclass(frozen=True, slots=True)
class Split:
    """An evaluation in two graphs of `program`, ``batch`` and ``final``.

    means, sums, rows
        the outputs of `batch` by how they are joined over an epoch. The inputs of `final` are sums and rows.
    """

    program: Program
    batch: str
    final: str
    means: tuple[str, ...]
    sums: tuple[str, ...]
    rows: tuple[str, ...]


def gathers(program: Program, key: str) -> bool:
    """Whether a graph, or what it calls, uses `total` or `collect`."""
    nodes = (node for each in reached(program.graphs, [key]) for node in program.graphs[each].nodes)
    return any(node.op.spec_name() in GATHER for node in nodes)


def split_totals(program: Program, key: str) -> Split | None:
    """The evaluation `key`, split; None where it gathers nothing. `elaborate.gathered` has checked that it can be."""
    if not gathers(program, key):
        return None
    program = inline_functions(program, key)
    return _Splitting(program, key, _without_repetition(program.graphs[key])).split()


class _Splitting:
    def __init__(self, program: Program, key: str, graph: Graph) -> None:
        self.program, self.key, self.graph = program, key, graph
        self.late: set[str] = set()
        self.parts: dict[str, str] = {}  # what is gathered -> the name of its part

    def split(self) -> Split:
        graph = self.graph
        for node in graph.nodes:
            if node.op.spec_name() in GATHER or self.late.intersection(name for name in node.inputs if name):
                self.late.update(node.outputs)
        means = [o for o in graph.outputs if o.value not in self.late]
        taken = {o.name for o in means}
        final = self._final(taken)
        rows = [self.parts[n.output] for n in self._gathering() if n.op.spec_name() == "collect"]
        sums = [name for name in self.parts.values() if name not in rows]
        batch = self._batch(means)
        graphs = {**self.program.graphs, f"{self.key} batch": batch, f"{self.key} final": final}
        return Split(
            self.program.model_copy(update={"graphs": graphs}),
            f"{self.key} batch",
            f"{self.key} final",
            tuple(o.name for o in means),
            tuple(sums),
            tuple(rows),
        )

    def _gathering(self) -> Iterator[Node]:
        return (node for node in self.graph.nodes if node.output in self.parts)

    def _batch(self, means: list[Output]) -> Graph:
        """What each batch gives: of sums, the batch's own."""
        outputs = list(means)
        for node in self._gathering():
            source = node.inputs[0] if node.inputs else node.output
            assert source is not None
            outputs.append(Output(name=self.parts[node.output], value=source))
        return pruned(self.graph.model_copy(update={"outputs": tuple(outputs)}))

    def _final(self, taken: set[str]) -> Graph:
        """What is computed once: its inputs are the parts that it needs."""
        graph = self.graph
        outputs = tuple(o for o in graph.outputs if o.value in self.late)
        needed = {o.value for o in outputs}
        nodes: list[Node] = []
        for node in reversed(graph.nodes):
            if not needed.intersection(node.outputs):
                continue
            if node.op.spec_name() in GATHER:
                self.parts[node.output] = ""
                continue
            nodes.append(node)
            needed.update(name for name in node.inputs if name)
        nodes = self._sizes(nodes[::-1])
        for node in self._gathering():
            self.parts[node.output] = self._name(node, taken)
        values = {node.output: self.parts[node.output] for node in self._gathering()}
        return _renamed(graph, nodes, outputs, values)

    def _sizes(self, nodes: list[Node]) -> list[Node]:
        """The nodes without sizes of the batch: they become sums over its batches."""
        kept = []
        for node in nodes:
            if isinstance(node.op, Size) and symbols(node.op.dim):
                self.parts[node.output] = ""
            else:
                kept.append(node)
        return kept

    def _name(self, node: Node, taken: set[str]) -> str:
        """What a part is called: as the spec calls it, else after the first result that needs it."""
        known = (node.output, *(name for name in node.inputs if name))
        named = [name.partition("@")[0] for name in known if not name.startswith("%")]
        base = "examples" if isinstance(node.op, Size) else (named or [self._result(node)])[0]
        name, count = base, 1
        while name in taken:
            count += 1
            name = f"{base}{count}"
        taken.add(name)
        return name

    def _result(self, node: Node) -> str:
        reached = set(node.outputs)
        for other in self.graph.nodes:
            if reached.intersection(name for name in other.inputs if name):
                reached.update(other.outputs)
        found = next((o.name for o in self.graph.outputs if o.value in reached), "part")
        return f"{found}_part" if node.output not in {o.value for o in self.graph.outputs} else found


def _renamed(graph: Graph, nodes: list[Node], outputs: Iterable[Output], parts: dict[str, str]) -> Graph:
    """The final graph, whose inputs are called as the parts are; other values of that name give way."""
    clash = {
        value: f"{value}@final" for value in graph.types if value in parts.values() and value not in parts
    }
    names = {**clash, **parts}

    def new(name: str | None) -> str | None:
        return names.get(name, name) if name else name

    types = {names.get(name, name): kind for name, kind in graph.types.items()}
    moved = tuple(
        node.model_copy(
            update={"inputs": tuple(map(new, node.inputs)), "outputs": tuple(map(new, node.outputs))}
        )
        for node in nodes
    )
    return graph.model_copy(
        update={
            "inputs": tuple(Value.model_construct(name=name, type=types[name]) for name in parts.values()),
            "outputs": tuple(Output(name=o.name, value=names.get(o.value, o.value)) for o in outputs),
            "nodes": moved,
            "types": types,
            "weights": (),
            "name": f"{graph.name}Final",
        }
    )


def _without_repetition(graph: Graph) -> Graph:
    """Equal nodes as one: several metrics often begin with the same table."""
    same: dict[str, str] = {}
    known: dict[object, Node] = {}
    kept = []
    for node in graph.nodes:
        inputs = tuple(name and same.get(name, name) for name in node.inputs)
        node = node.model_copy(update={"inputs": inputs})
        alike = (type(node.op), repr(node.op), inputs)
        if node.weights or node.op.random or isinstance(node.op, Call):
            kept.append(node)
        elif alike in known:
            same.update(zip(node.outputs, known[alike].outputs, strict=True))
        else:
            known[alike] = node
            kept.append(node)
    outputs = tuple(Output(name=o.name, value=same.get(o.value, o.value)) for o in graph.outputs)
    return graph.model_copy(update={"nodes": tuple(kept), "outputs": outputs})

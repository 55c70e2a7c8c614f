"""What a model consists of: layers with shapes, parameters and multiply-accumulates, as rows of data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from dlspec.ir.dims import Dim, Symbolic, substitute, symbols
from dlspec.ir.graph import Call, Graph, Node, Program, Weight
from dlspec.ir.types import TensorType

BYTES = {"f64": 8, "i64": 8, "f32": 4, "i32": 4, "f16": 2, "bf16": 2, "i8": 1, "u8": 1, "bool": 1}


@dataclass(slots=True)
class Row:
    """One layer or block: its path, what it is, its result, and its cost (a repeat counts all its copies)."""

    depth: int
    name: str
    operator: str
    output: str
    parameters: int
    macs: Dim
    repeat: int = 1


@dataclass(slots=True)
class Summary:
    """The rows of a model and their totals.

    macs
        multiply-accumulates for a batch of one; symbolic where another dimension is.
    parameters, state
        numbers of trainable values, and of others such as running statistics.
    activation_bytes
        memory of every intermediate value for a batch of one, where sizes are known.
    """

    model: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    rows: list[Row]
    parameters: int
    state: int
    macs: Dim
    weight_bytes: int
    activation_bytes: Dim

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; symbolic numbers are text."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def summarize(program: Program, model: str) -> Summary:
    """The summary of a model; work grows with what is written, not with what repeats."""
    key = program.models[model]
    graph = program.graphs[key]
    count = _Counter(program, _batch(graph))
    total = count.graph(key)
    return Summary(
        model=model,
        inputs={v.name: str(v.type) for v in graph.inputs},
        outputs={o.name: str(graph.types[o.value]) for o in graph.outputs},
        rows=list(count.rows(key, 0)),
        parameters=total.parameters,
        state=total.state,
        macs=total.macs,
        weight_bytes=total.weight_bytes,
        activation_bytes=total.activation_bytes,
    )


@dataclass(slots=True)
class _Total:
    parameters: int = 0
    state: int = 0
    macs: Dim = 0
    weight_bytes: int = 0
    activation_bytes: Dim = 0

    def add(self, other: _Total, times: int = 1) -> None:
        self.parameters += other.parameters * times
        self.state += other.state * times
        self.macs = self.macs + other.macs * times
        self.weight_bytes += other.weight_bytes * times
        self.activation_bytes = self.activation_bytes + other.activation_bytes * times


class _Counter:
    def __init__(self, program: Program, batch: dict[str, Dim]) -> None:
        self.program, self.batch = program, batch
        self.totals: dict[str, _Total] = {}

    def graph(self, key: str) -> _Total:
        """The totals of a graph; of an instance used twice the weights count once."""
        if key in self.totals:
            return self.totals[key]
        graph, total, seen = self.program.graphs[key], _Total(), set()
        for weight in graph.weights:
            total.add(_of_weight(weight))
        for node in graph.nodes:
            cost = self.node(graph, node)
            if isinstance(node.op, Call):
                if node.name in seen:
                    cost = _Total(macs=cost.macs, activation_bytes=cost.activation_bytes)
                seen.add(node.name)
            total.add(cost)
        self.totals[key] = total
        return total

    def node(self, graph: Graph, node: Node) -> _Total:
        """The cost of one node; an operator's weights are counted with its graph."""
        total = _Total()
        if isinstance(node.op, Call):
            total.add(self.graph(node.op.graph), node.op.repeat)
            return total
        total.macs = substitute(node.op.macs(*graph.input_types(node)), self.batch)
        for name in node.outputs:
            total.activation_bytes = total.activation_bytes + self._bytes(graph.types[name])
        return total

    def _bytes(self, kind: TensorType) -> Dim:
        return substitute(kind.size, self.batch) * BYTES[kind.dtype]

    def rows(self, key: str, depth: int) -> Iterator[Row]:
        """The rows of a graph: what owns weights or costs something, and blocks with their contents."""
        graph = self.program.graphs[key]
        weights = {w.name: w for w in graph.weights}
        for node in graph.nodes:
            cost = self.node(graph, node)
            output = ", ".join(str(graph.types[name]) for name in node.outputs)
            if isinstance(node.op, Call):
                name = self.program.graphs[node.op.graph].name
                yield Row(depth, node.name, name, output, cost.parameters, cost.macs, node.op.repeat)
                yield from self.rows(node.op.graph, depth + 1)
                continue
            own = sum(_of_weight(weights[w]).parameters for w in node.weights.values())
            if node.op.spec_name() != "constant":
                yield Row(depth, node.name or "", str(node.op), output, own, cost.macs)


def _of_weight(weight: Weight) -> _Total:
    size = int(weight.type.size)  # type: ignore[arg-type]
    total = _Total(weight_bytes=size * BYTES[weight.type.dtype])
    if weight.trainable:
        total.parameters = size
    else:
        total.state = size
    return total


def _batch(graph: Graph) -> dict[str, Dim]:
    """The first axis of the first input, where it is a symbol, taken as 1."""
    first = next((v.type.shape[0] for v in graph.inputs if v.type.shape), None)
    return dict.fromkeys(symbols(first), 1) if isinstance(first, Symbolic) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, Symbolic) else value

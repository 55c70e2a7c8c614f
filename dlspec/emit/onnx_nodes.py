"""Printing one operator as lines of ONNX text: a row of the manifest, filled in.

A row may use operands, weights, facts and fields by name, and beside them

``out``, ``outs``
    the name of the first result, and of all
``t.NAME``
    a name of a value between the row's lines
``w[NAME]``
    a weight by its local name
``g``
    constants, sizes and conversions (`Helpers`)

Plain strings print quoted, tuples as lists, so that nothing from a spec can leave its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlspec.emit.manifest import Backend
from dlspec.emit.onnx_helpers import Helpers
from dlspec.emit.onnx_rows import compiled
from dlspec.emit.onnx_text import Raw, quote
from dlspec.emit.onnx_values import Operand, Temporaries
from dlspec.ir.graph import Graph, Node, Value
from dlspec.ir.types import TensorType

MISSING: Any = object()
Types = Sequence[TensorType | None]


class Printer:
    """Prints the nodes of one flat graph, whose values are called `names` in the model."""

    def __init__(self, graph: Graph, backend: Backend, names: Mapping[str, str], double: bool) -> None:
        self.graph, self.backend, self.names = graph, backend, names
        inputs = (Value.model_construct(name=names[v.name], type=v.type) for v in graph.inputs)
        self.helpers = Helpers(inputs, double)
        self._labels: dict[str, int] = {}

    def node(self, node: Node) -> str:
        """The lines of one node, ending in a newline."""
        types = self.graph.input_types(node)
        row = self.backend.row(node.op, types)
        assert row is not None, f"{node.op} is not lowered"
        render, mentioned = compiled(row.text)
        source = self._source(node, types)
        context = {name: value for name in mentioned if (value := source(name)) is not MISSING}
        before = self.helpers.lines
        before.clear()
        text = render(context)
        return "".join((*before, text)) if before else text

    def value(self, name: str) -> Operand:
        """A value of the graph, as rows see it."""
        return Operand(self.names[name], self.helpers.typed(self.graph.types[name]))

    def label(self, node: Node) -> Raw:
        """The node's name: its instance's or its result's. ONNX Runtime wants each only once."""
        name = base = node.name or self.names[node.outputs[0]]
        while name in self._labels:
            self._labels[base] += 1
            name = f"{base}@{self._labels[base]}"
        self._labels[name] = 1
        return quote(name)

    def _source(self, node: Node, types: Types) -> Callable[[str], Any]:
        """Gives what a row mentions: operand, weight, special name, fact or field, in this order."""
        op, operands = node.op, self._operands(node)
        facts: dict[str, Any] | None = None

        def source(name: str) -> Any:
            nonlocal facts
            if name in operands:
                return operands[name]
            if name in node.weights:
                return self.value(node.weights[name])
            if name in SPECIAL:
                return SPECIAL[name](self, node)
            if facts is None:
                facts = op.facts(*types)
            return facts[name] if name in facts else getattr(op, name, MISSING)

        return source

    def _operands(self, node: Node) -> dict[str, Any]:
        """Operands by name: None where one is left out, a list where any number is taken."""
        found: dict[str, Any] = {}
        given = [None if name is None else self.value(name) for name in node.inputs]
        for index, operand in enumerate(node.op.operands):
            if operand.startswith("*"):
                found[operand[1:]] = given[index:]
            else:
                found[operand.rstrip("?")] = given[index] if index < len(given) else None
        return found


SPECIAL: dict[str, Callable[[Printer, Node], Any]] = {
    "g": lambda printer, node: printer.helpers,
    "out": lambda printer, node: printer.value(node.outputs[0]),
    "outs": lambda printer, node: [printer.value(name) for name in node.outputs],
    "t": lambda printer, node: Temporaries(printer.names[node.outputs[0]]),
    "w": lambda printer, node: {local: printer.value(name) for local, name in node.weights.items()},
    "label": lambda printer, node: printer.label(node),
}

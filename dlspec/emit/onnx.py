"""A model as ONNX text: header from the template ``model.onnxtxt.jinja``, nodes from the rows of the manifest.

Weights are declared, never printed: each has a name, a type, and its place in a file of raw bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from dlspec._collector import collector_paused
from dlspec.diagnostics import fail
from dlspec.emit.manifest import Backend
from dlspec.emit.onnx_names import result_names, value_names
from dlspec.emit.onnx_nodes import Printer
from dlspec.emit.onnx_text import SIZES, properties, quote, type_text
from dlspec.ir.graph import Graph, Program, Value
from dlspec.ir.types import TensorType
from dlspec.passes import prepare as legalise
from dlspec.passes.flatten import bypass, flatten, prepend

OPSET, IR_VERSION = 21, 10
LOCATION = "model.weights"
ALIGNMENT = 64  # bytes: where a weight may start in the file
PREPARATION = "%prepare"


@dataclass(frozen=True, slots=True)
class WeightPlace:
    """Where a weight lies among the raw bytes."""

    name: str
    type: TensorType
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class OnnxText:
    """An ONNX model in its textual syntax, and the places of the weights that it declares."""

    text: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    weights: tuple[WeightPlace, ...]

    def __str__(self) -> str:
        return self.text


def print_onnx(
    program: Program,
    model: str,
    backend: Backend,
    *,
    opset: int = OPSET,
    ir_version: int = IR_VERSION,
    prepare: Graph | None = None,
    double: bool = False,
    location: str = LOCATION,
) -> OnnxText:
    """The text of a model. Raises `SpecError` when an operator cannot be written in ONNX.

    prepare
        a graph whose results feed the model's inputs of the same names; it becomes part of the model.
    double
        prints f64 wherever the spec says f32.
    location
        the file that holds the weights, if they are kept outside the model.
    """
    lowest, highest = backend.options.get("opsets", (opset, opset))
    if not lowest <= opset <= highest:
        raise fail("DLS0713", f"ONNX opset {opset}: dlspec writes opsets {lowest} to {highest}")
    backend = in_double(backend) if double else backend
    about = {"opset": opset, "ir_version": ir_version, "name": model, "source": program.source}
    with collector_paused():
        graph = _flat(program, program.models[model], backend, prepare)
        return print_graph(graph, backend, about, double=double, location=location)


def in_double(backend: Backend) -> Backend:
    """The backend without the rows that its runtime cannot compute in f64; their operators are decomposed."""
    options = backend.options.get("double", {})
    rows = {name: rows for name, rows in backend.rows.items() if name not in options.get("without", ())}
    return replace(backend, rows=rows, passes=tuple(options.get("passes", backend.passes)))


def print_graph(
    graph: Graph, backend: Backend, about: dict[str, Any], *, double: bool = False, location: str = LOCATION
) -> OnnxText:
    """The text of a flat graph of operators that all have rows."""
    names, copies = value_names(graph)
    printer = Printer(graph, backend, names, double)
    body = "".join(map(printer.node, graph.nodes))
    body += "".join(f"  {quote(name)} = Identity ({quote(names[value])})\n" for name, value in copies)
    inputs = tuple(_value(value.name, printer.helpers.typed(value.type)) for value in graph.inputs)
    results = zip(result_names(graph), graph.outputs, strict=True)
    outputs = tuple(_value(name, printer.helpers.typed(graph.types[o.value])) for name, o in results)
    weights = tuple(place_weights((w.name, printer.helpers.typed(w.type)) for w in graph.weights))
    header = backend.template("model.onnxtxt.jinja").render(
        opset=about["opset"],
        ir_version=about["ir_version"],
        name=quote(about["name"]),
        doc=quote(graph.doc),
        properties=properties({"source": about["source"]} if about.get("source") else {}),
        inputs=_declared(inputs),
        outputs=_declared(outputs),
        weights=",\n  ".join(_initializer(place, location) for place in weights),
    )
    prologue = "".join(f"{line}\n" for line in printer.helpers.prologue.lines)
    return OnnxText(f"{header}{{\n{prologue}{body}}}\n", inputs, outputs, weights)


def place_weights(weights: Iterable[tuple[str, TensorType]]) -> Iterator[WeightPlace]:
    """Weights one after another, each at an aligned offset."""
    offset = 0
    for name, kind in weights:
        length = SIZES[kind.dtype] * prod(dim for dim in kind.shape if isinstance(dim, int))
        yield WeightPlace(name, kind, offset, length)
        offset += -(-length // ALIGNMENT) * ALIGNMENT


def _flat(program: Program, key: str, backend: Backend, prepare: Graph | None) -> Graph:
    keys = [key]
    if prepare is not None:
        program = program.model_copy(update={"graphs": {**program.graphs, PREPARATION: prepare}})
        keys.append(PREPARATION)
    program = legalise(program, keys, backend)
    graph = flatten(program, key)
    if prepare is not None:
        graph = prepend(flatten(program, PREPARATION), graph)
    return bypass(graph, backend.options.get("bypass", ()))


def _value(name: str, kind: TensorType) -> Value:
    return Value.model_construct(name=name, type=kind)


def _declared(values: tuple[Value, ...]) -> str:
    return ", ".join(f"{type_text(value.type)} {quote(value.name)}" for value in values)


def _initializer(place: WeightPlace, location: str) -> str:
    return (
        f'{type_text(place.type)} {quote(place.name)} = ["location": {quote(location)}, '
        f'"offset": "{place.offset}", "length": "{place.length}"]'
    )


__all__ = ["OnnxText", "WeightPlace", "place_weights", "print_graph", "print_onnx"]

"""Graphs of operators over typed values, and the program that holds them.

Models, blocks, preparation, losses and training steps are all `Graph`s. A use of a block is a `Call`
node that names the callee; equal uses share one callee, so work grows with what is written, not with
what is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

from dlspec.ir.data import DataSet
from dlspec.ir.dims import Dim
from dlspec.ir.op import Init, Op
from dlspec.ir.sweep import Sweep
from dlspec.ir.training import Export, Training
from dlspec.ir.types import TensorType

PURE_BODY = "repeated body"
"""The name of the graph that a `repeat`'s statements are, where they have no state: no name that a block can have."""


class Location(BaseModel):
    """A place in a source file; lines and columns count from 1, the end is exclusive."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Call(Op):
    """A use of another graph of the program, `repeat` times in a row, each with its own weights.

    When repeated, the first `carried` inputs of each copy are the outputs of the copy before it; the other
    inputs are the same for all.
    """

    graph: str
    repeat: int = 1
    carried: int = 1


def _parse_op(value: Any) -> Any:
    if isinstance(value, Op):
        return value
    from dlspec.ops import operator

    fields = dict(value)
    return operator(fields.pop("op")).model_validate(fields)


class Value(BaseModel):
    """A named tensor."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    type: TensorType


class Output(BaseModel):
    """A result of a graph: the public name, and the value that is returned under it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    value: str


class Weight(Value):
    """A weight that a graph owns. Its name is its path in the graph, such as ``conv1.weight``."""

    init: Init
    trainable: bool = True
    fan_in: int = 1
    fan_out: int = 1


class Node(BaseModel):
    """One application of an operator.

    name
        the instance's name in its graph (``conv1``) for operators with state and calls, else empty.
    inputs
        names of values; None for an optional operand that was left out.
    weights
        the operator's own weights: local name to the weight's name in the graph.
    sources
        what gave an argument: field to an expression over the variables of the graph, such as ``4 * planes``.
        Those that are no whole numbers can only be a parameter itself. ``repeat`` is a call's number of copies.
    condition
        what had to hold for this to be there, over the variables of the graph (see `ir.condition`); ``?`` if
        that cannot be said, empty where it is there always.
    frozen
        its weights are not trained, though the operator's are.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    op: Annotated[SerializeAsAny[Op], BeforeValidator(_parse_op)]
    inputs: tuple[str | None, ...]
    outputs: tuple[str, ...]
    name: str = ""
    weights: dict[str, str] = Field(default_factory=dict)
    sources: dict[str, Dim] = Field(default_factory=dict)
    frozen: bool = False
    condition: str = ""
    location: Location | None = None

    @property
    def output(self) -> str:
        """The first result."""
        return self.outputs[0]

    @property
    def place(self) -> str:
        """Where it stands, for the end of a message; empty where nobody wrote it."""
        at = self.location
        return f" ({at.file}:{at.line}:{at.column})" if at else ""


class Graph(BaseModel):
    """Nodes in order of evaluation over typed values, each defined once.

    name
        what the user called the block or model.
    params
        the compile-time arguments of this instance, in the order of the block's parameters.
    defaults
        those of the block's parameters that have a default, with its value.
    types
        the type of every value: inputs, weights (own, and of callees where they are used), results.
    fixed
        variables (parameters, sizes of inputs) that something was decided by when compiling: with another
        value the graph might have other nodes, not only other numbers.
    function
        it has no weights and no randomness of its own or of what it calls, and is printed as a function.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)
    inputs: tuple[Value, ...] = ()
    outputs: tuple[Output, ...] = ()
    weights: tuple[Weight, ...] = ()
    nodes: tuple[Node, ...] = ()
    types: dict[str, TensorType] = Field(default_factory=dict)
    fixed: tuple[str, ...] = ()
    function: bool = False
    doc: str = ""
    location: Location | None = None

    def input_types(self, node: Node) -> tuple[TensorType | None, ...]:
        """The types of a node's operands, None where an optional one was left out."""
        return tuple(None if name is None else self.types[name] for name in node.inputs)

    def output_types(self) -> tuple[TensorType, ...]:
        """The types of the results, in order."""
        return tuple(self.types[output.value] for output in self.outputs)

    def uses(self) -> dict[str, int]:
        """How often each value is read, by nodes and as a result."""
        counts: dict[str, int] = {}
        for name in (*(i for n in self.nodes for i in n.inputs if i), *(o.value for o in self.outputs)):
            counts[name] = counts.get(name, 0) + 1
        return counts


class Program(BaseModel):
    """All graphs of a spec, by key, and what is declared over them.

    graphs
        by key: the block's or model's name, with ``#2``, ``#3`` for further instances that differ.
    models
        model name to graph key.
    trainings
        by the name of what is trained: the model's name in the short form.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    source: str = ""
    doc: str = ""
    graphs: dict[str, Graph] = Field(default_factory=dict)
    models: dict[str, str] = Field(default_factory=dict)
    data: dict[str, DataSet] = Field(default_factory=dict)
    trainings: dict[str, Training] = Field(default_factory=dict)
    exports: dict[str, Export] = Field(default_factory=dict)
    sweeps: dict[str, Sweep] = Field(default_factory=dict)

    def model(self, name: str) -> Graph:
        """The graph of a model; raises KeyError."""
        return self.graphs[self.models[name]]

    def trainings_of(self, model: str) -> list[Training]:
        """The trainings that a model is part of; raises KeyError."""
        key = self.models[model]
        return [training for training in self.trainings.values() if key in training.models.values()]

    def all_weights(self, key: str, prefix: str = "") -> Iterator[Weight]:
        """Every weight under a graph with its full path, callees and repeats unrolled."""
        graph = self.graphs[key]
        for weight in graph.weights:
            yield weight.model_copy(update={"name": prefix + weight.name})
        seen: set[str] = set()
        for node in graph.nodes:
            if isinstance(node.op, Call) and node.name not in seen:
                seen.add(node.name)
                for path in instance_paths(node):
                    yield from self.all_weights(node.op.graph, f"{prefix}{path}.")


def reached(graphs: Mapping[str, Graph], keys: Iterable[str]) -> list[str]:
    """The keys of these graphs and of all that they call, directly or not; each once."""
    found: dict[str, None] = {}
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = None
            waiting += [node.op.graph for node in graphs[key].nodes if isinstance(node.op, Call)]
    return list(found)


def instance_paths(node: Node) -> list[str]:
    """The paths of the instances that a call stands for: ``layer``, or ``layer.0``, ``layer.1``, ..."""
    assert isinstance(node.op, Call)
    if node.op.repeat == 1:
        return [node.name]
    return [f"{node.name}.{i}" for i in range(node.op.repeat)]

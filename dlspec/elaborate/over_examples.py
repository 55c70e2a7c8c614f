"""Whether a loss is a mean over examples, so that the losses of the parts of a batch, averaged, are that of all of it.

Each value is nothing that examples have a say in, something of each example for itself, or a mean over them. What is
neither, such as a sum or the scores of all examples against each other, is refused. Axes are told apart by their
symbols; a rotation of the batch, or a window over it, would go unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from dlspec.ir.dims import symbols
from dlspec.ir.graph import Call, Graph, Node
from dlspec.ir.types import TensorType


class Over(Enum):
    """What a value is with regard to the examples of a batch."""

    NONE = auto()
    EACH = auto()
    MEAN = auto()


SUMS = frozenset({"add", "sub"})
PRODUCTS = frozenset({"mul", "div"})
LINEAR = frozenset(
    {"neg", "cast", "mean", "sum", "reshape", "squeeze", "unsqueeze", "transpose", "slice", "stop_gradient"}
)
"""What a mean over examples may go through and still be one."""
SHAPING = frozenset({"squeeze", "unsqueeze", "stack"})
"""Operators whose `axis` is none that they compute along."""
COUNTING = frozenset({"arange", "size"})
"""Operators that know how many examples there are, or which is which."""


class NotOverExamples(Exception):
    """The message says what is no mean over examples, and where."""


class Examples:
    """The walk over the graphs of a program, by key. Raises `NotOverExamples`."""

    def __init__(self, graphs: Mapping[str, Graph]) -> None:
        self.graphs = graphs

    def check(self, key: str) -> None:
        """The loss whose graph is `key`, from columns, whose first axis is the batch."""
        graph = self.graphs[key]
        batch = {name for value in graph.inputs for dim in value.type.shape[:1] for name in symbols(dim)}
        found = self._outputs(
            key, [Over.EACH if value.type.shape else Over.NONE for value in graph.inputs], batch
        )
        if found != [Over.MEAN]:
            raise NotOverExamples("the loss is no mean over the examples")

    def _outputs(self, key: str, given: Sequence[Over], batch: set[str]) -> list[Over]:
        """What the results of a graph are, whose inputs are as given and whose batch has these symbols."""
        graph = self.graphs[key]
        known = {value.name: over for value, over in zip(graph.inputs, given, strict=True)}
        for node in graph.nodes:
            operands = [known.get(name, Over.NONE) for name in node.inputs if name]
            types = [kind for kind in graph.input_types(node) if kind is not None]
            results = [graph.types[name] for name in node.outputs]
            known.update(zip(node.outputs, self._results(node, operands, types, results, batch), strict=True))
        return [known.get(output.value, Over.NONE) for output in graph.outputs]

    def _results(
        self,
        node: Node,
        operands: list[Over],
        types: list[TensorType],
        results: list[TensorType],
        batch: set[str],
    ) -> list[Over]:
        if isinstance(node.op, Call):
            inner = self._inside(node.op.graph, types, batch)
            found = operands
            for _ in range(min(node.op.repeat, 2)):  # after two rounds, what is carried stays what it is
                found = self._outputs(node.op.graph, operands, inner)
                operands = [*found[: node.op.carried], *operands[node.op.carried :]]
            return found
        if any(_axes(kind, batch) > 1 for kind in results):
            raise NotOverExamples(f"`{node.op.spec_name()}` sets examples against each other{node.place}")
        if node.op.spec_name() in COUNTING and _counts(node, results, batch):
            raise NotOverExamples(f"`{node.op.spec_name()}` depends on the size of the batch{node.place}")
        if Over.MEAN in operands:
            return [_of_mean(node, operands)] * len(results)
        return [_of_each(node, operands, types, kind, batch) for kind in results]

    def _inside(self, key: str, types: Sequence[TensorType], batch: set[str]) -> set[str]:
        """The symbols of the batch in a graph that is called with operands of these types."""
        pairs = zip(self.graphs[key].inputs, types, strict=False)
        return {
            name
            for value, kind in pairs
            for own, outer in zip(value.type.shape, kind.shape, strict=False)
            if symbols(outer) & batch
            for name in symbols(own)
        }


def _of_mean(node: Node, operands: Sequence[Over]) -> Over:
    """What becomes of a mean over examples."""
    name, means = node.op.spec_name(), operands.count(Over.MEAN)
    if Over.EACH not in operands:
        if name in SUMS or name in LINEAR:
            return Over.MEAN
        if name in PRODUCTS and means == 1 and (name == "mul" or operands[0] is Over.MEAN):
            return Over.MEAN
    raise NotOverExamples(f"`{name}` is applied to a mean over the examples{node.place}")


def _of_each(
    node: Node, operands: Sequence[Over], types: Sequence[TensorType], result: TensorType, batch: set[str]
) -> Over:
    """What becomes of what each example has for itself."""
    name = node.op.spec_name()
    if Over.EACH not in operands:
        return Over.EACH if _axes(result, batch) else Over.NONE
    if not _axes(result, batch):
        ignored = getattr(node.op, "ignore_index", None) is not None
        reduction = "mean" if name == "mean" else getattr(node.op, "reduction", None)
        if reduction in ("mean", "batchmean") and not ignored:
            return Over.MEAN
        what = "leaves out what it ignores" if ignored else "is over the examples, and no mean of them"
        raise NotOverExamples(f"`{name}` {what}{node.place}")
    axis = getattr(node.op, "axis", None)
    if name not in SHAPING and axis is not None and types:
        shape = types[0].shape
        along = [
            each for each in (axis if isinstance(axis, list | tuple) else [axis]) if isinstance(each, int)
        ]
        if any(-len(shape) <= each < len(shape) and symbols(shape[each]) & batch for each in along):
            raise NotOverExamples(f"`{name}` goes along the batch{node.place}")
    return Over.EACH


def _axes(kind: TensorType, batch: set[str]) -> int:
    """How many axes of a type have to do with the batch."""
    return sum(bool(symbols(dim) & batch) for dim in kind.shape)


def _counts(node: Node, results: Sequence[TensorType], batch: set[str]) -> bool:
    """Whether a node that makes numbers of sizes is given the batch's."""
    size = getattr(node.op, "dim", None)
    return any(_axes(kind, batch) for kind in results) or (size is not None and bool(symbols(size) & batch))

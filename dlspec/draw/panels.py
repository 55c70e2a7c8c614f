"""Graphs to panels of boxes: one for the model, and one for each block that it uses.

A box is a layer with what directly follows it (normalisation, activation, reshaping), or a use of a block. What no
input reaches and has no weights, such as a range of numbers, is left out; many small operations between
two layers become one box.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dlspec.draw.panel import Box, Panel
from dlspec.draw.simplify import gather_arithmetic, stack_equal
from dlspec.draw.words import block_arguments, operator_arguments, operator_title, shape_text
from dlspec.ir.dims import Dim
from dlspec.ir.graph import Call, Graph, Node, Program
from dlspec.ir.op import Op

# The kind of a box, which gives its colour, by the module of its operator.
KINDS = {
    "convolution": "conv", "transposed": "conv", "linear": "dense", "recurrent": "recurrent",
    "attention": "attention", "pooling": "pool", "adaptive_pooling": "pool", "resize": "pool",
    "normalization": "norm", "layer_norm": "norm", "joining": "join",
}  # fmt: skip
# Never written into the box of what they follow.
ALONE = {"attention", "pool", "recurrent", "conv", "dense", "table", "block"}
FOLLOWS_WEIGHTS = "normalization"  # norms that belong to the convolution before them


def panels(program: Program, model: str) -> list[Panel]:
    """The model's panel, then one for each block, in order of first use: of its largest instance."""
    key = program.models[model]
    reachable = _reachable(program, key)
    instances: dict[str, list[str]] = {}
    for each in reachable:
        instances.setdefault(program.graphs[each].name, []).append(each)
    uses = _uses(program, reachable)
    inlined = {
        name for name, keys in instances.items() if uses[name] == 1 and _once(program, reachable, name)
    }
    found = [_Maker(program, inlined, True).panel(key)]
    for name, keys in instances.items():
        if keys[0] == key or name in inlined or _is_function(program, keys[0]):
            continue
        made = [_Maker(program, inlined, False).panel(each) for each in keys]
        found.append(max(made, key=lambda panel: len(panel.boxes)))
    return found


def _reachable(program: Program, key: str) -> list[str]:
    """The keys of a graph and of all that it calls, in order of first use."""
    found, waiting = {key: None}, [key]
    while waiting:
        calls = [n.op.graph for n in program.graphs[waiting.pop(0)].nodes if isinstance(n.op, Call)]
        waiting += [each for each in dict.fromkeys(calls) if each not in found]
        found |= dict.fromkeys(calls)
    return list(found)


def _uses(program: Program, keys: Iterable[str]) -> Counter[str]:
    calls = (n.op.graph for key in keys for n in program.graphs[key].nodes if isinstance(n.op, Call))
    return Counter(program.graphs[graph].name for graph in calls)


def _once(program: Program, keys: Iterable[str], name: str) -> bool:
    """Whether the only use of a block is of one copy."""
    calls = [n.op for key in keys for n in program.graphs[key].nodes if isinstance(n.op, Call)]
    return all(op.repeat == 1 for op in calls if program.graphs[op.graph].name == name)


def _is_function(program: Program, key: str) -> bool:
    """A block without weights whose name begins with a small letter is drawn as one operation."""
    return program.graphs[key].name[:1].islower()


@dataclass(frozen=True, slots=True)
class _Operation:
    """A node with the paths of the values that it reads and makes."""

    graph: Graph
    node: Node
    inputs: list[str]
    outputs: list[str]


class _Maker:
    """One panel while it is made. Values are known by a path, so that an inlined block keeps its own names."""

    def __init__(self, program: Program, inlined: set[str], whole: bool) -> None:
        self.program, self.inlined, self.whole = program, inlined, whole
        self.boxes: list[Box] = []
        self.edges: dict[tuple[int, int], None] = {}
        self.maker: dict[str, int] = {}  # value -> its box
        self.readers: Counter[str] = Counter()
        self.last: dict[int, tuple[str, ...]] = {}  # box -> the values that its last operation made
        self.weights: dict[str, str] = {}  # value -> the weight that it is made of, and of nothing else
        self.batch: Dim | None = None

    def panel(self, key: str) -> Panel:
        graph = self.program.graphs[key]
        self.batch = next((value.type.shape[0] for value in graph.inputs if value.type.shape), None)
        for value in graph.inputs:
            box = Box(value.name, shape=shape_text([value.type], self.batch), kind="input")
            self._box(box, [], [value.name])
        operations, results = self._flat(graph, {value.name: value.name for value in graph.inputs}, "")
        self.readers.update(name for each in operations for name in set(each.inputs))
        self.readers.update(results)
        for each in operations:
            self._operation(each)
        for output, result in zip(graph.outputs, results, strict=True):
            box = Box(output.name, shape=shape_text([graph.types[output.value]], self.batch), kind="output")
            self._box(box, [result] if result in self.maker else [], [])
        needed = [name for name in graph.params if name not in graph.defaults]
        title = graph.name if self.whole or not needed else f"{graph.name}({', '.join(needed)})"
        return stack_equal(gather_arithmetic(Panel(title, self.boxes, list(self.edges))))

    def _flat(self, graph: Graph, names: dict[str, str], path: str) -> tuple[list[_Operation], list[str]]:
        """The operations of a graph and of the blocks that are drawn in place; the paths of the results.

        `names` gives the paths of the graph's values; a name without one is that of a weight.
        """
        found: list[_Operation] = []
        for node in graph.nodes:
            inputs = [names.get(name, path + name) for name in node.inputs if name]
            self.weights.update((path + name, name) for name in node.inputs if name and name not in names)
            if isinstance(node.op, Call) and self.program.graphs[node.op.graph].name in self.inlined:
                callee = self.program.graphs[node.op.graph]
                inner = dict(zip((value.name for value in callee.inputs), inputs, strict=True))
                operations, results = self._flat(callee, inner, f"{path}{node.name}.")
                found += operations
            else:
                results = [path + name for name in node.outputs]
                found.append(_Operation(graph, node, inputs, results))
            names.update(zip(node.outputs, results, strict=True))
        return found, [names.get(output.value, path + output.value) for output in graph.outputs]

    def _is_block(self, node: Node) -> bool:
        return isinstance(node.op, Call) and not _is_function(self.program, node.op.graph)

    def _operation(self, each: _Operation) -> None:
        """Write an operation into the box before it, or give it one of its own."""
        drawn = [name for name in each.inputs if name in self.maker]
        weights = [self.weights[name] for name in each.inputs if name in self.weights]
        if not drawn and not each.node.weights and not self._is_block(each.node):
            self.weights.update(dict.fromkeys(each.outputs, weights[0]) if len(weights) == 1 else {})
            return  # the same for all examples, and nothing to learn of its own
        box = self._describe(each.graph, each.node, weights)
        boxes = list(dict.fromkeys(self.maker[name] for name in drawn))
        if len(boxes) != 1 or not self._follows(each.node.op, box, boxes[0], drawn):
            self._box(box, drawn, each.outputs)
            return
        before = self.boxes[boxes[0]]
        before.details.append(box.title)
        before.shape, before.value = box.shape, _name(each.outputs)
        self.maker.update(dict.fromkeys(each.outputs, boxes[0]))
        self.last[boxes[0]] = tuple(each.outputs)

    def _describe(self, graph: Graph, node: Node, weights: list[str]) -> Box:
        shape = shape_text([graph.types[name] for name in node.outputs], self.batch)
        if isinstance(node.op, Call):
            callee = self.program.graphs[node.op.graph]
            kind = "function" if _is_function(self.program, node.op.graph) else "block"
            return Box(callee.name, block_arguments(callee), [], shape, kind, node.op.repeat)
        kind = KINDS.get(_module(node.op), "function")
        if node.op.spec_name() in ("Embedding", "Parameter"):
            kind = "table"
        elif kind == "function" and len([name for name in node.inputs if name]) > 1:
            kind = "join"
        arguments = operator_arguments(node.op) or ", ".join(weights)
        if node.op.spec_name() == "Parameter":
            return Box(node.name, arguments, [], "", kind)
        return Box(operator_title(node.op), arguments, [], shape, kind)

    def _follows(self, op: Op, box: Box, index: int, drawn: list[str]) -> bool:
        """Whether an operation is written into the box whose result only it reads."""
        before = self.boxes[index]
        if box.kind in ALONE or before.kind in ("input", "output") or before.repeat > 1:
            return False
        if box.kind == "norm" and (_module(op) != FOLLOWS_WEIGHTS or before.kind not in ("conv", "dense")):
            return False
        values = self.last[index]
        return all(self.readers[value] <= 1 for value in values) and set(drawn) <= set(values)

    def _box(self, box: Box, drawn: Iterable[str], outputs: Iterable[str]) -> None:
        box.value = _name(outputs)
        self.boxes.append(box)
        index = len(self.boxes) - 1
        self.edges.update(dict.fromkeys((self.maker[name], index) for name in drawn))
        self.maker.update(dict.fromkeys(outputs, index))
        self.last[index] = tuple(outputs)


def _name(values: Iterable[str]) -> str:
    """The name of the first of some values in its own block."""
    return next(iter(values), "").rpartition(".")[2]


def _module(op: Op) -> str:
    return type(op).__module__.rpartition(".")[2]

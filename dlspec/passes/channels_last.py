"""Channels last: a program of channels-first graphs for a framework whose layers want channels last.

Convolutions and their like get operands in the other layout, elementwise operators follow their operands,
operators that name axes are rewritten, everything else is fed channels first. A conversion is made once for
each value, and converting back gives the original, so that chains of layers have one transposition at each
end. Entry graphs keep the inputs and outputs of the spec; blocks may take and return either layout.

Decompositions speak the language's layout, so the program is lowered first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from dlspec.ir.graph import Call, Graph, Node, Output, Program, Value
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.ops import operator
from dlspec.passes.layouts import FIRST, LAST, Layout, back, keeps_order, on_last, order, typed
from dlspec.passes.lower import lower
from dlspec.passes.moved_axes import RULES
from dlspec.passes.moved_values import Values

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

# Axis 1 holds channels, what comes after it positions.
WINDOWED = ("Conv", "ConvTranspose", "MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool")
SPATIAL = frozenset({
    *(f"{name}{rank}d" for name in WINDOWED for rank in (1, 2, 3)),
    "BatchNorm", "GroupNorm", "InstanceNorm", "PReLU", "local_response_norm",
    "global_avg_pool", "global_max_pool", "resize", "pixel_shuffle", "pixel_unshuffle",
})  # fmt: skip
# Element by element, with broadcasting. (What is missing here is computed channels first.)
ELEMENTWISE = frozenset({
    "add", "sub", "mul", "div", "floordiv", "mod", "pow", "maximum", "minimum", "neg", "abs", "sign", "square",
    "clip", "exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "reciprocal", "floor", "ceil", "round", "sin",
    "cos", "tanh", "erf", "isnan", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
    "logical_and", "logical_or", "logical_not", "where", "cast", "stop_gradient", "reverse_gradient", "Dropout",
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "sigmoid", "silu", "mish", "softplus",
    "log_sigmoid", "softsign", "hard_sigmoid", "hard_swish", "hard_tanh",
})  # fmt: skip
RESHAPING = frozenset({"reshape", "flatten", "squeeze", "unsqueeze"})


def channels_last(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program in which the graphs `keys`, and all they call, are lowered and channels last inside."""
    keys = list(keys)
    program = lower(program, keys, backend)
    return move(program, keys)


def move(program: Program, keys: Iterable[str]) -> Program:
    """The program in which the graphs `keys`, and all they call, are channels last inside."""
    keys = list(keys)
    work = _Program(program, keys)
    for key in keys:
        work.entry(key)
    return program.model_copy(update={"graphs": {**program.graphs, **work.graphs}})


def is_spatial(op: Op, x: TensorType | None) -> bool:
    """Whether the operator wants its first operand, of the language's type `x`, channels last."""
    return x is not None and x.rank >= 3 and op.spec_name() in SPATIAL


def is_elementwise(op: Op) -> bool:
    """Whether the operator is the same in every layout. A draw from a named stream counts the elements."""
    return op.spec_name() in ELEMENTWISE and not (op.random and op.stream)  # type: ignore[attr-defined]


class _Program:
    """Graphs by the layouts of their inputs; each is made once. `entries` are channels first for all callers."""

    def __init__(self, program: Program, entries: Iterable[str] = ()) -> None:
        self.program, self.entries = program, frozenset(entries)
        self.graphs: dict[str, Graph] = {}
        self._made: dict[tuple[object, ...], tuple[str, tuple[Layout, ...]]] = {}
        self._wishes: dict[str, tuple[Layout | None, ...]] = {}

    def entry(self, key: str) -> None:
        """A graph that keeps its own inputs and outputs."""
        graph = self.program.graphs[key]
        self.special(key, (FIRST,) * len(graph.inputs), (FIRST,) * len(graph.outputs))

    def special(
        self, key: str, inputs: tuple[Layout, ...], outputs: tuple[Layout | None, ...] = ()
    ) -> tuple[str, tuple[Layout, ...]]:
        """The key of `key`'s graph for these inputs, and the layouts of its outputs (those given, if any)."""
        wanted = (key, inputs, outputs)
        if wanted not in self._made:
            graph = self.program.graphs[key]
            moved, layouts = _Graph(self, graph).run(inputs, outputs)
            for other in (key, *(f"{key}#last{n}" for n in range(1, len(self.graphs) + 2))):
                if self.graphs.setdefault(other, moved) in (moved,):
                    self._made[wanted] = (other, layouts)
                    break
        return self._made[wanted]

    def wishes(self, key: str) -> tuple[Layout | None, ...]:
        """Which layout a graph would like its inputs in; None where it does not matter."""
        if key not in self._wishes:
            graph = self.program.graphs[key]
            wanted = self.wanted(graph)
            is_entry = key in self.entries
            self._wishes[key] = tuple(
                FIRST if is_entry or value.type.rank < 3 else wanted.get(value.name) for value in graph.inputs
            )
        return self._wishes[key]

    def wanted(self, graph: Graph) -> dict[str, Layout]:
        """For each value the layout its readers want; channels last wins. Values they follow are left out."""
        found: dict[str, Layout] = {}

        def wish(name: str | None, layout: Layout | None) -> None:
            if name is not None and layout is not None and found.get(name) != LAST:
                found[name] = layout

        for node in reversed(graph.nodes):
            types = graph.input_types(node)
            if isinstance(node.op, Call):
                for name, layout in zip(node.inputs, self.wishes(node.op.graph), strict=True):
                    wish(name, layout)
            elif node.inputs and is_spatial(node.op, types[0]):
                wish(node.inputs[0], LAST)
            elif is_elementwise(node.op) or node.op.spec_name() in RULES:
                for name, kind in zip(node.inputs, types, strict=True):
                    if name and kind and kind.rank == graph.types[node.output].rank:
                        wish(name, found.get(node.output))
            elif node.op.spec_name() not in (*RESHAPING, "transpose"):
                for name in node.inputs:
                    wish(name, FIRST)
        return found


class _Graph(Values):
    """One graph while it is rewritten."""

    def __init__(self, program: _Program, graph: Graph) -> None:
        super().__init__(graph)
        self.program = program
        self.wanted = program.wanted(graph)

    def run(
        self, inputs: tuple[Layout, ...], outputs: tuple[Layout | None, ...]
    ) -> tuple[Graph, tuple[Layout, ...]]:
        graph = self.graph
        for value, layout in zip(graph.inputs, inputs, strict=True):
            self.define(value.name, layout)
        for node in graph.nodes:
            self.node(node)
        layouts = tuple(
            layout or self.layout(output.value)
            for output, layout in zip(graph.outputs, outputs or (None,) * len(graph.outputs), strict=True)
        )
        results = [
            Output.model_construct(name=output.name, value=self.get(output.value, layout))
            for output, layout in zip(graph.outputs, layouts, strict=True)
        ]
        moved = graph.model_copy(
            update={
                "inputs": tuple(
                    Value.model_construct(name=v.name, type=self.types[v.name]) for v in graph.inputs
                ),
                "outputs": tuple(results),
                "nodes": _needed(self.nodes, [result.value for result in results]),
                "types": {**graph.types, **self.types},
            }
        )
        return moved, layouts

    def node(self, node: Node) -> None:
        """Rewrite one node for the layouts that its operands have."""
        first = node.inputs[0] if node.inputs else None
        if isinstance(node.op, Call):
            self.call(node, node.op)
        elif first and is_spatial(node.op, self.type(first)):
            rest = [other and self.get(other, FIRST) for other in node.inputs[1:]]
            self.emit(node, on_last(node.op), [self.get(first, LAST), *rest], LAST)
        elif is_elementwise(node.op) and self.follows(node):
            rank = self.type(node.output).rank
            self.emit(node, node.op, [other and self.aligned(other, rank) for other in node.inputs], LAST)
        elif not first or not self.rewritten(node, first):
            self.emit(node, node.op, [other and self.get(other, FIRST) for other in node.inputs], FIRST)

    def rewritten(self, node: Node, name: str) -> bool:
        """Rewrite what works on any layout of its operand `name`; False if the operand must be moved."""
        kind = node.op.spec_name()
        if kind == "transpose":
            return self.transpose(node, name)
        if kind in RESHAPING:
            return self.reshape(node, name)
        found = RULES[kind](node.op, self.type(name)) if kind in RULES and self.follows(node) else None
        if found is not None:
            self.emit(node, found[0], [other and self.get(other, LAST) for other in node.inputs], found[1])
        return found is not None

    def emit(self, node: Node, op: Op, inputs: Sequence[str | None], layout: Layout) -> None:
        for output in node.outputs:
            self.define(output, layout)
        self.nodes.append(node.model_copy(update={"op": op, "inputs": tuple(inputs)}))

    def follows(self, node: Node) -> bool:
        """Whether the node is better done channels last: its operands are so, or its readers want it so."""
        rank = max(self.type(name).rank for name in (*node.inputs, node.output) if name)
        leading = [name for name in node.inputs if name and self.type(name).rank == rank]
        if rank < 3 or not leading:
            return False
        if any(self.layout(name) == LAST for name in node.inputs if name and self.type(name).rank < rank):
            return False  # its axes are counted from the end: they are the language's
        made = [self.has(name, LAST) for name in leading if name in self.where]
        if any(made) and all(made):
            return True
        wanted = self.wanted.get(node.output)
        return wanted == LAST or (any(made) and wanted is None)

    def transpose(self, node: Node, name: str) -> bool:
        """A transposition that only undoes, or does, the move of the channels is no node at all."""
        axes, rank = node.op.axes, self.type(name).rank  # type: ignore[attr-defined]
        for layout, source in self.where.get(name, {FIRST: name}).items():
            from_here = [back(layout, rank)[axis] for axis in axes]
            for made in (FIRST, LAST):
                if [from_here[axis] for axis in order(made, rank)] == list(range(rank)):
                    self.where[node.output] = {made: source}
                    return True
        if self.layout(name) == FIRST:
            return False
        op = node.op.model_copy(update={"axes": tuple(back(LAST, rank)[axis] for axis in axes)})
        self.emit(node, op, [self.get(name, LAST)], FIRST)
        return True

    def reshape(self, node: Node, name: str) -> bool:
        """A reshape that leaves batch and channels alone, or only sees one long axis, needs no move."""
        given, shape = self.type(name).shape, self.type(node.output).shape
        if self.layout(name) == FIRST:
            self.emit(node, node.op, [self.get(name, FIRST)], FIRST)
            origin = self.get(name, FIRST)
            self.flat[node.output] = self.flat.get(origin, origin)
            return True
        source = self.where[name][LAST]
        if keeps_order(order(LAST, len(given)), given):
            layout: Layout = FIRST
        elif len(shape) >= 2 and shape[:2] == given[:2]:
            layout = LAST
        else:
            return False
        wanted = typed(layout, self.type(node.output)).shape
        self.emit(node, operator("reshape").model_construct(shape=wanted), [source], layout)
        return True

    def call(self, node: Node, op: Call) -> None:
        """A call of the graph for the layouts that it wants, or else for those that there are."""
        wishes = self.program.wishes(op.graph)
        layouts = tuple(
            wish or self.layout(name or "") for wish, name in zip(wishes, node.inputs, strict=True)
        )
        forced: tuple[Layout | None, ...] = ()
        if op.graph in self.program.entries:
            forced = (FIRST,) * len(node.outputs)
        elif op.repeat > 1:  # what one copy returns, the next takes
            forced = (*layouts[: op.carried], *(None,) * (len(node.outputs) - op.carried))
        if op.graph in self.program.entries:
            forced = (FIRST,) * len(node.outputs)
        key, results = self.program.special(op.graph, layouts, forced)
        inputs = [self.get(name or "", layout) for name, layout in zip(node.inputs, layouts, strict=True)]
        for output, layout in zip(node.outputs, results, strict=True):
            self.define(output, layout)
        self.nodes.append(
            node.model_copy(update={"op": op.model_copy(update={"graph": key}), "inputs": tuple(inputs)})
        )


def _needed(nodes: Sequence[Node], results: Sequence[str]) -> tuple[Node, ...]:
    """The nodes without reshapes and transpositions that nobody reads any more."""
    read = set(results)
    kept = []
    for node in reversed(nodes):
        if node.op.spec_name() not in ("reshape", "transpose") or read.intersection(node.outputs):
            read.update(name for name in node.inputs if name)
            kept.append(node)
    return tuple(reversed(kept))

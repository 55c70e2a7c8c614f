"""The values of a graph that is being moved to channels last: in which layouts each exists, and under which name."""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.ir.graph import Graph, Node
from dlspec.ir.op import Op
from dlspec.ir.types import Shape, TensorType
from dlspec.ops import operator
from dlspec.passes.layouts import FIRST, LAST, Layout, back, keeps_order, order, placed, typed


class Values:
    """Conversions are nodes, made when they are first asked for and then kept.

    nodes, types
        of the new graph, as far as it is made.
    where
        for each value of the language the names it has now, by layout; the one it was made in comes first.
    flat
        values that are another value's elements in the same order: their own name to that one's.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node] = []
        self.types: dict[str, TensorType] = {}
        self.where: dict[str, dict[Layout, str]] = {}
        self.flat: dict[str, str] = {}

    def type(self, name: str) -> TensorType:
        """The type of a value in the language."""
        return self.graph.types[name]

    def define(self, name: str, layout: Layout) -> None:
        """Note that a value is now made, under its own name, in this layout."""
        if self.type(name).rank < 3:
            layout = FIRST
        self.where[name] = {layout: name}
        self.types[name] = typed(layout, self.type(name))

    def layout(self, name: str) -> Layout:
        """The layout in which a value was made (weights are in the language's)."""
        return next(iter(self.where.get(name, {FIRST: name})))

    def has(self, name: str, layout: Layout) -> bool:
        """Whether a value exists in this layout without a new conversion."""
        return layout in self.where.get(name, {FIRST: name})

    def get(self, name: str, layout: Layout) -> str:
        """The name of a value in this layout, converted if it must be."""
        rank = self.type(name).rank
        places = self.where.setdefault(name, {FIRST: name})
        wanted = layout if rank >= 3 else FIRST
        if wanted not in places:
            (have, source), *_ = places.items()
            axes = [back(have, rank)[axis] for axis in order(wanted, rank)]
            places[wanted] = self.transposed(source, axes, f"{name}.{wanted}")
        return places[wanted]

    def transposed(self, source: str, axes: Sequence[int], name: str) -> str:
        """A value that is made already, with its axes in this order."""
        kind = self.types.get(source) or self.graph.types[source]
        if list(axes) == list(range(kind.rank)):
            return source
        shape = tuple(kind.shape[axis] for axis in axes)
        if source in self.flat and keeps_order(axes, kind.shape):
            return self.reshaped(source, shape, name)
        op = operator("transpose").model_construct(axes=tuple(axes))
        return self.add(op, source, kind.with_shape(shape), name)

    def reshaped(self, source: str, shape: Shape, name: str) -> str:
        """A value that is made already, in another shape."""
        origin = self.flat.get(source, source)
        kind = self.types.get(origin) or self.graph.types[origin]
        if kind.shape == shape:
            return origin
        op = operator("reshape").model_construct(shape=shape)
        result = self.add(op, origin, kind.with_shape(shape), name)
        self.flat[result] = origin
        return result

    def add(self, op: Op, source: str, kind: TensorType, name: str) -> str:
        """A new node; its result is an unnamed value."""
        result = name if name.startswith("%") else f"%{name}"
        while result in self.types or result in self.graph.types:
            result += "'"
        self.types[result] = kind
        self.nodes.append(
            Node.model_construct(
                op=op, inputs=(source,), outputs=(result,), name="", weights={}, sources={}, location=None
            )
        )
        return result

    def aligned(self, name: str, rank: int) -> str:
        """An operand of a broadcasting operator whose result is channels last with `rank` axes."""
        kind = self.type(name)
        if kind.rank == rank and name in self.where and not _single(kind.shape):
            return self.get(name, LAST)
        shape = (1,) * (rank - kind.rank) + tuple(kind.shape)
        axes = order(LAST, rank)
        source = self.get(name, FIRST)
        if keeps_order(axes, shape):
            moved = list(placed(LAST, shape))
            keep = kind.rank if kind.rank == rank and self.flat.get(source, source) == source else 0
            while len(moved) > keep and moved[0] == 1:
                moved.pop(0)
            return source if kind.rank == 0 else self.reshaped(source, tuple(moved), f"{name}.last")
        missing = rank - kind.rank  # 0 or 1: with more, all that moves has length 1
        return self.transposed(source, [axis - missing for axis in axes if axis >= missing], f"{name}.last")


def _single(shape: Shape) -> bool:
    """Whether no more than one axis is longer than 1: then a reshape moves it."""
    return sum(dim != 1 for dim in shape) <= 1

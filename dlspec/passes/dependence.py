"""What in a graph follows from one of its parameters: found by giving it another value.

A parameter is worth a constructor argument only if the class still fits together when it changes. The graph
does not keep how a spec computed a number, so the parameter is tripled wherever it was given directly, and
the types of all that follows are inferred again. Arguments that triple with it are linked to it; if anything
no longer fits, or changes in another way, the parameter is printed as the number that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlspec.ir.graph import Call, Graph, Node
from dlspec.ir.op import OpError
from dlspec.ir.types import TensorType
from dlspec.passes.slots import collapse

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend, Row

Values = Callable[[Node, "Row", tuple[Any, ...]], Mapping[str, Any]]
"""The arguments of a node by source, given the types of its operands."""

FACTOR = 3


def links(
    graph: Graph, param: str, rows: Sequence[Row | None], values: Values, backend: Backend
) -> set[tuple[int, str]]:
    """The arguments (node number and source) that are this parameter's value; empty if it cannot change."""
    given = collapse(graph.params[param])
    try:
        return _Trial(graph, param, given, rows, values, backend).run()
    except (_Misfit, OpError, ZeroDivisionError):
        return set()


class _Misfit(Exception):
    """The parameter cannot have another value."""


class _Trial:
    def __init__(
        self,
        graph: Graph,
        param: str,
        given: Any,
        rows: Sequence[Row | None],
        values: Values,
        backend: Backend,
    ) -> None:
        self.graph, self.param, self.given, self.rows, self.values = graph, param, given, rows, values
        self.backend = backend
        self.changed = _tripled(given)
        self.is_size = self.changed != given
        self.types: dict[str, TensorType] = {}  # of values whose type is another now
        self.found: set[tuple[int, str]] = set()

    def run(self) -> set[tuple[int, str]]:
        for index, (node, row) in enumerate(zip(self.graph.nodes, self.rows, strict=True)):
            direct = [field for field, param in node.sources.items() if param == self.param]
            if direct or (self.types and any(name in self.types for name in node.inputs)):
                self._node(index, node, row, direct)
        return self.found

    def _node(self, index: int, node: Node, row: Row | None, direct: Sequence[str]) -> None:
        if isinstance(node.op, Call) or row is None:
            self._call(index, node, direct)
            return
        if any(field in row.when for field in direct):
            raise _Misfit  # another value may need another row
        if not self.is_size:
            self.found.update((index, field) for field in direct)
            return
        before = self.graph.input_types(node)
        after = tuple(
            kind and self.types.get(name or "", kind) for name, kind in zip(node.inputs, before, strict=True)
        )
        op = self._with_change(node, direct)
        results = op.infer(*after)
        if self.backend.row(op, after) is not row:
            raise _Misfit
        old = self.values(node, row, before)
        new = self.values(node.model_copy(update={"op": op}), row, after)
        for source, value in old.items():
            if value != new[source]:
                if collapse(value) != self.given or collapse(new[source]) != self.changed:
                    raise _Misfit
                self.found.add((index, source))
        for name, kind in zip(
            node.outputs, results if isinstance(results, tuple) else (results,), strict=True
        ):
            if kind != self.graph.types[name]:
                self.types[name] = kind

    def _with_change(self, node: Node, direct: Sequence[str]) -> Any:
        update = {}
        for field in direct:
            value = getattr(node.op, field)
            if collapse(value) != self.given:
                raise _Misfit
            update[field] = _tripled(value)
        return node.op.model_copy(update=update) if update else node.op

    def _call(self, index: int, node: Node, direct: Sequence[str]) -> None:
        """A callee's own size is not followed; numbers that are no sizes, and repeats, are passed on."""
        if any(name in self.types for name in node.inputs):
            raise _Misfit
        for field in direct:
            if self.is_size and field != "repeat":
                raise _Misfit
            self.found.add((index, field))


def _tripled(value: Any) -> Any:
    """Another value of the same kind. What is no size (a rate, a switch, a word) keeps its value."""
    if isinstance(value, (list, tuple)):
        return tuple(map(_tripled, value))
    return value * FACTOR if type(value) is int else value

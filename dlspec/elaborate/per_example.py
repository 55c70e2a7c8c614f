"""Whether a preparation does the same to an example whichever others are beside it.

The examples are the first axis, whose size is `BATCH`. Types show most of what mixes them: the axis is then gone, has
another size, or is at another place. The rest is known by operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlspec.ir.dims import symbols
from dlspec.ir.graph import Call, Graph, Node
from dlspec.ir.types import TensorType
from dlspec.ops.epoch import GATHER

OVER_EXAMPLES = {*GATHER, "ranks"}
COUNTS = {"size": "dim", "arange": "stop"}  # the field that may be the number of examples
TRIANGLES = {"tril", "triu"}
SHOWN_BY_TYPE = {"transpose", "unsqueeze", "stack"}  # though they have axes


def mixing(graph: Graph, graphs: Mapping[str, Graph], batch: str) -> Node | None:
    """The first operation of a graph whose result for one example depends on the others; `batch` is their number."""
    for node in graph.nodes:
        if isinstance(node.op, Call):
            if found := mixing(graphs[node.op.graph], graphs, batch):
                return node if found.location is None else found
        elif _mixes(node, graph.types, batch):
            return node
    return None


def _mixes(node: Node, types: Mapping[str, TensorType], batch: str) -> bool:
    name, operands = node.op.spec_name(), [types[i] for i in node.inputs if i]
    if node.op.random or node.weights or name in OVER_EXAMPLES:
        return True
    if name in COUNTS:
        return batch in symbols(getattr(node.op, COUNTS[name]))
    held = [_holds(kind, batch) for kind in operands]
    results = [types[o] for o in node.outputs]
    if any(batch in symbols(dim) for kind in results for dim in kind.shape[1:]):
        return True
    if not any(held):
        return any(
            batch in symbols(kind.shape[0]) and not _holds(kind, batch) for kind in results if kind.shape
        )
    if not all(_holds(kind, batch) for kind in results):
        return True
    if name == "einsum":
        return _sums(node.op, held)
    return held[0] and _along_examples(node.op, name, operands)


def _holds(kind: TensorType, batch: str) -> bool:
    """Whether something is an example a row."""
    return bool(kind.shape) and str(kind.shape[0]) == batch


def _along_examples(op: Any, name: str, operands: list[TensorType]) -> bool:
    """Whether an operator goes along the first axis of its first operand, and leaves its size."""
    if name in TRIANGLES:
        return operands[0].rank == 2
    if name in SHOWN_BY_TYPE:
        return False
    if name == "flip" and op.axis is None:
        return True
    given = [getattr(op, field, None) for field in ("axis", "axes", "axis1", "axis2")]
    axes = [axis for each in given for axis in (each if isinstance(each, tuple) else (each,))]
    return any(isinstance(axis, int) and axis % operands[0].rank == 0 for axis in axes)


def _sums(op: Any, held: list[bool]) -> bool:
    """Whether an `einsum` has the axis of examples under another name than the result."""
    left, _, right = op.pattern.partition("->")

    def first(term: str) -> str:
        return (term.split() if " " in term.strip() else list(term.strip()))[0]

    return any(
        first(term) != first(right) for term, holds in zip(left.split(","), held, strict=True) if holds
    )

"""`models = { T: frozen(Teacher) }`: a model that a training uses as it is, in inference mode."""

from __future__ import annotations

from collections.abc import Collection

from dlspec.diagnostics import fail
from dlspec.elaborate.calls import FROZEN
from dlspec.ir.graph import Call, Graph
from dlspec.syntax import tree


def kept_model(written: tree.Expr) -> tree.Expr | None:
    """What is within `frozen(...)`; None where that is not written."""
    if not isinstance(written, tree.Call) or not isinstance(written.function, tree.Name):
        return None
    if written.function.id != FROZEN:
        return None
    if len(written.arguments) != 1 or written.arguments[0].name is not None:
        raise fail(
            "DLS0206", "`frozen` takes one model", written.span, "one model", "write `frozen(Teacher)`"
        )
    return written.arguments[0].value


def refuse_frozen(name: str, frozen: Collection[str], written: tree.Name) -> None:
    """A step may not update a model that is kept as it is."""
    if name in frozen:
        raise fail("DLS0436", f"`{name}` is frozen, so no step can update it", written.span, "frozen",
                   "leave the `frozen` out, or update another model")  # fmt: skip


def with_frozen(graph: Graph, frozen: Collection[str]) -> Graph:
    """The graph in which calls of these models are marked as frozen."""
    if not frozen:
        return graph
    nodes = tuple(
        node.model_copy(update={"frozen": True})
        if isinstance(node.op, Call) and node.name in frozen
        else node
        for node in graph.nodes
    )
    return graph.model_copy(update={"nodes": nodes})

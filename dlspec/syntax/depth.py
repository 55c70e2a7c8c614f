"""Refuses what is nested so deeply that a recursive reader of the tree would run out of stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from dlspec.diagnostics import Diagnostic
from dlspec.syntax import tree

DEEPEST = 100
"""Levels of expressions and statements within each other. A chain of pipes is one level however long it is."""

_PARTS = {
    kind: tuple(field.name for field in fields(kind) if field.name not in ("span", "source"))
    for kind in vars(tree).values()
    if isinstance(kind, type) and issubclass(kind, tree.Node)
}


def check_depth(file: tree.File) -> list[Diagnostic]:
    """A diagnostic for each declaration that is nested too deeply."""
    return [problem for item in file.items if (problem := _too_deep(item))]


def _too_deep(item: tree.Item) -> Diagnostic | None:
    waiting: list[tuple[tree.Node, int]] = [(item, 0)]
    while waiting:
        node, level = waiting.pop()
        if level > DEEPEST:
            return _problem(node)
        # A node's text is at least as long as it is deep, so that nearly all of a usual spec need not be looked at.
        if level + node.span.end - node.span.start > DEEPEST:
            waiting += [(child, level + step) for child, step in _children(node)]
    return None


def _children(node: tree.Node) -> Iterator[tuple[tree.Node, int]]:
    inner = 0 if isinstance(node, tree.Pipe) else 1
    for name in _PARTS[type(node)]:
        value = getattr(node, name)
        if isinstance(value, tree.Node):
            yield value, inner if name == "value" else 1
        elif isinstance(value, list):
            for child in value:
                if isinstance(child, tuple):  # a pair of a dict
                    child = child[1]
                yield child, 1


def _problem(node: tree.Node) -> Diagnostic:
    message = f"this is nested more than {DEEPEST} levels deep"
    hint = "give parts of it names of their own, or write a block"
    return Diagnostic("DLS0111", message, node.span, "too deep", hint=hint)

"""A first look at the names in every block, also in branches that are not taken and blocks not used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from dlspec.elaborate.arguments import INIT_KINDS
from dlspec.elaborate.arithmetic import FUNCTIONS
from dlspec.elaborate.calls import FROZEN
from dlspec.elaborate.gradients import GRAD
from dlspec.elaborate.lookup import unknown_name, visible_operator
from dlspec.elaborate.session import Session
from dlspec.elaborate.statements import assigned
from dlspec.elaborate.values import Scope
from dlspec.ir.types import DTYPES
from dlspec.syntax import tree


def check_names(file: tree.File, session: Session, scope: Scope) -> None:
    """Report every name in a block that nothing defines."""
    if scope.is_incomplete():
        return
    known = scope.visible() | set(DTYPES) | set(FUNCTIONS) | set(INIT_KINDS) | {FROZEN, GRAD}
    for item in file.items:
        if isinstance(item, tree.Block):
            inside = known | _defined(item)
            for name in _names(item):
                if name.id not in inside and visible_operator(name.id) is None:
                    session.report(unknown_name(name.id, name.span, scope.visible() | _defined(item)))


def _defined(block: tree.Block) -> set[str]:
    names = {p.name.id for p in block.params}
    for statement in _statements(block.body):
        names.update(assigned(statement))
        match statement:
            case tree.Input(type=tree.TensorType() as type):
                names.update(n.id for dim in type.dims or [] for n in _names(dim))
            case tree.OutputStatement(type=tree.TensorType() as type):
                names.update(n.id for dim in type.dims or [] for n in _names(dim))
            case tree.For():
                names.update(t.id for t in statement.targets)
    for node in _walk(block.body):
        if isinstance(node, tree.Comprehension):
            names.update(t.id for t in node.targets)
    return names | {n for body in _repeat_bodies(block) for s in _statements(body) for n in assigned(s)}


def _repeat_bodies(node: tree.Node) -> Iterator[tree.Body]:
    for child in _walk(node):
        if isinstance(child, tree.Repeat) and isinstance(child.body, tree.Body):
            yield child.body


def _statements(body: tree.Body) -> Iterator[tree.Statement]:
    for statement in body.statements:
        yield statement
        match statement:
            case tree.For() | tree.RepeatStatement():
                yield from _statements(statement.body)
            case tree.If():
                yield from _statements(statement.then)
                if statement.otherwise is not None:
                    yield from _statements(statement.otherwise)


# Fields that hold names which are defined or looked up elsewhere: targets, keywords, attributes, types.
_NOT_READ = {
    (tree.Argument, "name"), (tree.Attribute, "name"), (tree.Assign, "targets"), (tree.For, "targets"),
    (tree.Comprehension, "targets"),
    (tree.Input, "name"), (tree.OutputStatement, "names"), (tree.Param, "name"), (tree.Param, "type"),
    (tree.Block, "name"), (tree.TensorType, "dtype"),
}  # fmt: skip


def _names(node: tree.Node) -> Iterator[tree.Name]:
    return (child for child in _walk(node) if isinstance(child, tree.Name))


def _walk(node: object) -> Iterator[tree.Node]:
    """Every node below, without recursion: pipes may be thousands of stages long."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, list):
            waiting.extend(current)
        elif isinstance(current, tuple):
            waiting.append(current[1])  # a dictionary's key is no name to be read
        elif isinstance(current, tree.Node):
            yield current
            kind = type(current)
            waiting.extend(
                getattr(current, f.name) for f in fields(current) if (kind, f.name) not in _NOT_READ
            )

"""Helpers of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from dlspec.syntax import tree
from dlspec.syntax.parser import parse_text


def children(node: tree.Node) -> Iterator[tree.Node]:
    """The nodes directly within a node, in the order of their fields."""
    for field in fields(node):
        value = getattr(node, field.name)
        for child in value if isinstance(value, list) else [value]:
            for part in child if isinstance(child, tuple) else [child]:
                if isinstance(part, tree.Node):
                    yield part


def nodes(node: tree.Node) -> Iterator[tree.Node]:
    """A node and all within it."""
    waiting = [node]
    while waiting:
        waiting.extend(children(found := waiting.pop()))
        yield found


def shape(value: Any) -> Any:
    """A tree as nested tuples, without its places."""
    if isinstance(value, tree.Node):
        rest = [
            shape(getattr(value, f.name)) for f in fields(value) if f.name not in ("span", "source", "doc")
        ]
        return (type(value).__name__, *rest)
    return [shape(item) for item in value] if isinstance(value, list | tuple) else value


def expression(text: str) -> Any:
    """The shape of an expression."""
    (let,) = parse_text(f"let v = {text}").items
    assert isinstance(let, tree.Let)
    return shape(let.value)


def brief(text: str) -> str:
    """An expression with all its parentheses: `1 + 2 * 3` is `(1 + (2 * 3))`."""
    (let,) = parse_text(f"let v = {text}").items
    assert isinstance(let, tree.Let)
    return _brief(let.value)


def _brief(node: Any) -> str:
    match node:
        case tree.Number(value=value):
            return repr(value)
        case tree.Name(id=name):
            return name
        case tree.Binary(op=op, left=left, right=right):
            return f"({_brief(left)} {op} {_brief(right)})"
        case tree.Unary(op=op, operand=operand):
            return f"({op} {_brief(operand)})"
        case tree.Range(start=start, stop=stop):
            return f"({_brief(start)} .. {_brief(stop)})"
        case tree.Pipe(value=value, stage=stage):
            return f"({_brief(value)} -> {_brief(stage)})"
        case tree.Conditional(condition=c, yes=yes, no=no):
            return f"(if {_brief(c)} then {_brief(yes)} else {_brief(no)})"
        case tree.Call(function=function, arguments=arguments):
            return f"{_brief(function)}({', '.join(_brief(a.value) for a in arguments)})"
        case tree.Attribute(value=value, name=name):
            return f"{_brief(value)}.{name.id}"
        case tree.Subscript(value=value, indices=indices):
            return f"{_brief(value)}[{', '.join(map(_brief, indices))}]"
        case tree.Repeat(count=count, body=body):
            return f"repeat {_brief(count)} {{{_brief(body)}}}"
        case tree.Body(statements=statements):
            return f"{len(statements)} statements"
    raise AssertionError(node)

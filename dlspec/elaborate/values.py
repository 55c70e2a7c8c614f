"""What an expression may be at compile time.

Numbers, strings, booleans, None, lists, tuples, dicts, ranges and `Symbolic` dimensions are themselves;
a tensor is a `Handle`; the rest is here.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from dlspec.ir.builder import Handle
from dlspec.ir.dims import Dim, Symbolic
from dlspec.ir.op import Op
from dlspec.syntax import tree
from dlspec.syntax.source import Span


class Poison:
    """The value of a name whose definition was wrong; using it is silently skipped."""


POISON = Poison()


class Poisoned(Exception):
    """Raised on reading a poisoned name: the error behind it has been reported already."""


@dataclass(slots=True)
class Operator:
    """An operator named but not yet given its arguments: `relu`, `Conv2d`."""

    cls: type[Op]


@dataclass(slots=True)
class Partial:
    """A pure function with arguments but without its tensor, such as `leaky_relu(0.2)` passed along."""

    cls: type[Op]
    fields: dict[str, Any]
    sources: dict[str, Dim]
    span: Span
    spans: dict[str, Span] = field(default_factory=dict)  # of the fields, where they are written


@dataclass(slots=True, eq=False)
class Layer:
    """An operator with state at one place of the spec. Its identity is its weights'.

    `name` is provisional until the graph is finished; `owner` is the builder whose graph it lives in. One that
    the user named is `explicit`ly so and lives in `home`, the graph where it was named.
    """

    cls: type[Op]
    fields: dict[str, Any]
    sources: dict[str, Dim]
    span: Span
    name: str = ""
    owner: Any = None
    home: Any = None
    explicit: str = ""
    spans: dict[str, Span] = field(default_factory=dict)  # of the fields, where they are written
    frozen: bool = False


@dataclass(slots=True)
class BlockDefinition:
    """A `block` or `model` of a file, with the scope that it was written in."""

    block: tree.Block
    scope: Scope

    @property
    def name(self) -> str:
        return self.block.name.id


@dataclass(slots=True, eq=False)
class BlockInstance:
    """A block with its arguments at one place of the spec."""

    definition: BlockDefinition
    arguments: dict[str, Any]
    sources: dict[str, Dim]
    span: Span
    name: str = ""
    owner: Any = None
    home: Any = None
    explicit: str = ""
    key: str = ""
    spans: dict[str, Span] = field(default_factory=dict)  # of the arguments, where they are written
    complete: dict[str, Any] = field(default_factory=dict)  # the arguments and the defaults, once it is used


@dataclass(slots=True)
class Stack:
    """`element * count`: independent copies, one after the other."""

    element: Any
    count: int
    span: Span


@dataclass(slots=True)
class Marker:
    """A declared name that is no value, such as a data set; `kind` says what it is."""

    kind: str
    name: str
    payload: Any = None


@dataclass(slots=True)
class Scope:
    """Names and their values; inner scopes see outer ones."""

    parent: Scope | None = None
    names: dict[str, Any] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    incomplete: bool = False
    """An import of all names of a file failed: a name that is not here may be one of them."""

    def find(self, name: str) -> Any:
        """The value of a name; raises KeyError."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        raise KeyError(name)

    def is_incomplete(self) -> bool:
        """Whether a name that is not found may be missing because an import failed."""
        return self.incomplete or (self.parent is not None and self.parent.is_incomplete())

    def define(self, name: str, value: Any, span: Span | None = None) -> None:
        self.names[name] = value
        if span is not None:
            self.spans[name] = span

    def visible(self) -> AbstractSet[str]:
        """All names that can be read here."""
        inherited = self.parent.visible() if self.parent else frozenset()
        return inherited | self.names.keys()


def describe(value: Any) -> str:
    """What a value is, in the user's words."""
    match value:
        case Handle():
            return f"a tensor {value.type}"
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case int() | float():
            return f"the number {value}"
        case Symbolic():
            return f"the dimension {value}"
        case str():
            return f'the string "{value}"' if len(value) < 40 else "a string"
        case list() | tuple():
            return f"a list of {len(value)}"
        case dict():
            return "a dictionary"
        case range():
            return f"the range {value.start}..{value.stop}"
        case Operator():
            return f"the operator `{value.cls.spec_name()}`"
        case Partial() | Layer():
            return f"`{value.cls.spec_name()}`"
        case BlockDefinition():
            return f"the block `{value.name}`"
        case BlockInstance():
            return f"the block `{value.definition.name}`"
        case Stack():
            return "a stack of layers"
        case Marker():
            return f"the {value.kind} `{value.name}`"
    return type(value).__name__

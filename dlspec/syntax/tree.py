"""The syntax tree: what the parser makes and the elaborator reads. Every node has its span."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlspec.syntax.source import Source, Span


@dataclass(slots=True)
class Node:
    span: Span


# --- expressions -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Number(Node):
    value: int | float


@dataclass(slots=True)
class String(Node):
    value: str


@dataclass(slots=True)
class Literal(Node):
    """true, false or none."""

    value: bool | None


@dataclass(slots=True)
class Name(Node):
    id: str


@dataclass(slots=True)
class List(Node):
    items: list[Expr]


@dataclass(slots=True)
class Tuple(Node):
    items: list[Expr]


@dataclass(slots=True)
class Dict(Node):
    """Keys are names or strings; a key keeps its own span."""

    items: list[tuple[Name, Expr]]


@dataclass(slots=True)
class Unary(Node):
    op: str  # "-", "not"
    operand: Expr


@dataclass(slots=True)
class Binary(Node):
    op: str  # + - * / // % ** @ == != < <= > >= and or
    left: Expr
    right: Expr


@dataclass(slots=True)
class Range(Node):
    """`start .. stop`, stop excluded."""

    start: Expr
    stop: Expr


@dataclass(slots=True)
class Comprehension(Node):
    """`[item for targets in iterable if condition]`."""

    item: Expr
    targets: list[Name]
    iterable: Expr
    condition: Expr | None


@dataclass(slots=True)
class Conditional(Node):
    """`if condition then yes else no`."""

    condition: Expr
    yes: Expr
    no: Expr


@dataclass(slots=True)
class Argument(Node):
    name: Name | None
    value: Expr


@dataclass(slots=True)
class Call(Node):
    function: Expr
    arguments: list[Argument]


@dataclass(slots=True)
class Slice(Node):
    start: Expr | None
    stop: Expr | None
    step: Expr | None


@dataclass(slots=True)
class Ellipsis(Node):
    pass


@dataclass(slots=True)
class Subscript(Node):
    value: Expr
    indices: list[Expr]  # expressions, Slice or Ellipsis


@dataclass(slots=True)
class Attribute(Node):
    value: Expr
    name: Name


@dataclass(slots=True)
class Pipe(Node):
    """`value -> stage`. Left associative: a chain is nested on the left."""

    value: Expr
    stage: Expr


@dataclass(slots=True)
class Repeat(Node):
    """`repeat count { ... }` as a pipe's stage. `body` is either statements or one pipeline expression."""

    count: Expr
    body: Body | Expr


@dataclass(slots=True)
class TensorType(Node):
    """`f32[N, 1, 8, 8]`, `[N, C]`, `i64`: dtype and dims may each be left out; a dim may be Ellipsis."""

    dtype: Name | None
    dims: list[Expr] | None


Expr = (
    Number | String | Literal | Name | List | Tuple | Dict | Unary | Binary | Range | Comprehension | Conditional | Call
    | Slice | Ellipsis | Subscript | Attribute | Pipe | Repeat | TensorType
)  # fmt: skip

# --- statements ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Input(Node):
    """`input x: f32[N, 8]`; one with a `default` may be left out where the block is used."""

    name: Name
    type: TensorType | None
    default: Expr | None = None


@dataclass(slots=True)
class OutputStatement(Node):
    """`output a, b: f32[N]` or `output name = value: type`. `names` is empty or as long as `values`."""

    names: list[Name]
    values: list[Expr]
    type: TensorType | None


@dataclass(slots=True)
class Assign(Node):
    """`a, b = value`."""

    targets: list[Name]
    value: Expr


@dataclass(slots=True)
class For(Node):
    targets: list[Name]
    iterable: Expr
    body: Body


@dataclass(slots=True)
class RepeatStatement(Node):
    count: Expr
    body: Body


@dataclass(slots=True)
class If(Node):
    condition: Expr
    then: Body
    otherwise: Body | None  # an `else if` is a Body with one If


@dataclass(slots=True)
class Minimize(Node):
    value: Expr


Statement = Input | OutputStatement | Assign | For | RepeatStatement | If | Minimize


@dataclass(slots=True)
class Body(Node):
    statements: list[Statement]


# --- declarations ----------------------------------------------------------------------------------


@dataclass(slots=True)
class Param(Node):
    name: Name
    type: Name | None
    default: Expr | None


@dataclass(slots=True)
class Import(Node):
    path: String
    names: list[Name] | None  # None: all names


@dataclass(slots=True)
class Let(Node):
    name: Name
    type: Name | None
    value: Expr


@dataclass(slots=True)
class Block(Node):
    """`block` or, with `is_model`, `model`. `doc` is the comment directly above, without the `#`."""

    name: Name
    params: list[Param]
    body: Body
    is_model: bool
    doc: str = ""


@dataclass(slots=True)
class Setting(Node):
    """`key = value` in a data, train, export or sweep declaration."""

    name: Name
    value: Expr


@dataclass(slots=True)
class Section(Node):
    """`prepare { ... }`: a named group of statements."""

    name: Name
    body: Body


@dataclass(slots=True)
class StepSection(Node):
    """`step NAME updates A, B with Optimizer(...) every n { ... }`."""

    name: Name
    updates: list[Name]
    optimizer: Expr
    every: Expr | None
    body: Body


@dataclass(slots=True)
class Copy(Node):
    """`copy A to B every n`, or `copy A to B rate r`: then `word` is `rate`."""

    source: Name
    target: Name
    word: str
    amount: Expr


Entry = Setting | Section | StepSection | Copy


@dataclass(slots=True)
class Declaration(Node):
    """`data NAME`, `train NAME on DATA`, `export NAME`, `sweep NAME of TRAIN` with their entries."""

    kind: str
    name: Name
    other: Name | None
    entries: list[Entry]
    doc: str = ""


Item = Import | Let | Block | Declaration


@dataclass(slots=True)
class File(Node):
    """A whole spec. `doc` is the comment at the top of the file."""

    source: Source
    items: list[Item] = field(default_factory=list)
    doc: str = ""

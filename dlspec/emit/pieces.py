"""Expressions on their way into statements: what is written inside what, as long as it is easy to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.emit.arguments import Arguments
from dlspec.emit.code import Code, call, literal
from dlspec.emit.dims import Sizes
from dlspec.emit.manifest import MISSING, Row
from dlspec.emit.naming import ModuleNames, kept, key_of
from dlspec.emit.rows import Rows, Source
from dlspec.emit.variables import Variables
from dlspec.ir.dims import symbol
from dlspec.ir.graph import Graph, Node
from dlspec.passes.outline import Plan
from dlspec.weights.layout import parse

WIDTH = 88 - 8
"""What a line of a method has room for."""


@dataclass(slots=True)
class Piece:
    """An expression on its way into a statement: the variables it reads, how deep it is, what it does."""

    code: Code
    reads: list[str]
    kind: str  # atom, arithmetic, light (an activation), heavy (a layer with a matrix in it), postfix, other
    depth: int = 0
    heavy: int = 0
    row: Row | None = None


# What a consumer of one kind takes into itself: kind of the operand to its greatest depth of calls.
TAKES: dict[str, dict[str, int]] = {
    "arithmetic": {"atom": 1, "arithmetic": 2, "light": 3, "heavy": 2, "postfix": 2, "other": 1},
    "light": {"atom": 1, "arithmetic": 1, "light": 2, "heavy": 2, "postfix": 1},
    "heavy": {"atom": 1, "arithmetic": 0, "light": 2},
    "other": {"atom": 1, "arithmetic": 1, "light": 1, "postfix": 1},
    "postfix": {"atom": 1, "arithmetic": 0, "postfix": 1},
}


class Expressions:
    """The expressions of one graph.

    uses
        how often each value is read by what is printed; `pending` are expressions that wait for their reader,
        `literals` numbers that are written where they are used.
    """

    def __init__(self, plan: Plan, names: ModuleNames, rows: Rows) -> None:
        self.plan, self.module, self.rows = plan, names, rows
        self.graph: Graph = plan.graph
        self.names = names.of[plan.name]
        self.optional = {value: option for option in plan.options for value in option.instead}
        self.needed, self.uses = needed(
            self.graph, {value: option.instead[value] for value, option in self.optional.items()}
        )
        self.is_function = plan.name in names.functions
        self.in_method = False  # of a class that has other things to construct
        own = self.names.params.values() if self.is_function else ()
        self.variables = Variables(self.graph, self.uses, names.reserved.union(own))
        self.sizes = Sizes(self.graph, self.variables.names, rows.backend.options.get("shape", "{x}.shape"))
        self.arguments = Arguments(plan, self.sizes.plain)
        self.given: dict[str, Code] = {}  # what variables are in the function around this one's statements
        self.kept: dict[str, None] = {}
        self.needs: dict[str, None] = {}
        self.pending: dict[str, Piece] = {}
        self.literals: dict[str, tuple[int, Node]] = {}

    def assign(self, values: Sequence[str], piece: Piece) -> None:
        """Put a value into a variable."""
        raise NotImplementedError

    def parameter(self, variable: str) -> Code:
        """A variable of the class outside the constructor: what an input shows, or the object keeps; a function
        has its parameters at hand.
        """
        if self.sizes.knows(variable):
            return self.sizes.code(symbol(variable))
        if variable in self.given:
            return self.given[variable]
        name = self.plan.names[variable]
        if self.is_function:
            return Code(self.names.params[name])
        self.kept[name] = None
        return Code(f"self.{self.names.attributes[kept(name)]}")

    def piece(self, index: int, node: Node, row: Row | None) -> Piece:
        """The expression of a node; operands that would make it hard to read are assigned before."""
        kind = self._kind(node, row)
        taken: dict[str, Piece] = {}
        for name in node.inputs:
            piece = self.pending.pop(name, None) if name else None
            if piece is not None and name is not None:
                if self._takes(kind, piece):
                    taken[name] = piece
                else:
                    self.assign((name,), piece)
        while True:
            made = self._combine(index, node, row, kind, taken)
            longest = max((p for p in taken.values() if p.depth), key=lambda p: len(p.code), default=None)
            if longest is None or len(made.code) <= WIDTH - 12:
                return made
            name = next(n for n, p in taken.items() if p is longest)
            del taken[name]
            self.assign((name,), longest)

    def _combine(self, index: int, node: Node, row: Row | None, kind: str, taken: dict[str, Piece]) -> Piece:
        operands, reads = self._operands(node, row, taken)
        source = self.arguments.source(index, node, operands, self.parameter, self._extra)
        has_no_attribute = self.is_function or (self.in_method and node.op.spec_name() == "constant")
        if has_no_attribute and row is not None and row.kind == "init":
            code = self.rows.template(self.rows.backend.options[row.op], row, source)
        elif row is None or row.kind == "init":
            code = self._applied(index, node, row, operands, source)
        else:
            self.needs.update(dict.fromkeys(row.needs))
            code = self.rows.expression(row, source)
        depth = max((p.depth for p in taken.values()), default=0) + (kind != "arithmetic")
        heavy = sum(p.heavy for p in taken.values()) + (kind == "heavy")
        return Piece(code, reads, kind, depth, heavy, row)

    def _extra(self, name: str) -> Any:
        """What a row may mention besides the node's own: the device that new tensors belong on."""
        if name != "device":
            return MISSING
        inputs = self.graph.inputs
        return Code(f"{self.variables.names(inputs[0].name)}.device") if inputs else None

    def _applied(
        self, index: int, node: Node, row: Row | None, operands: dict[str, Any], source: Source
    ) -> Code:
        if row is None and self.module.callee(node).name in self.module.functions:
            return self.called(index, node, list(operands.values()))
        layer = Code(f"self.{self.names.attributes[key_of(node)]}")
        if row is not None and row.apply:

            def given(name: str) -> Any:
                return layer if name == "layer" else source(name)

            return self.rows.template(row.apply, row, given, ("layer",))
        args: list[Any] = []
        for value in operands.values():
            args.extend(value if isinstance(value, list) else [value])
        while args and args[-1] is None:
            args.pop()
        calls = self.rows.backend.options.get("calls", {}) if row is None else {}
        more = calls.get("frozen" if node.frozen else "learning", {})
        return call(layer, map(literal, args), [(name, Code(text)) for name, text in more.items()])

    def called(self, index: int, node: Node, operands: Sequence[Code]) -> Code:
        """A use of a function."""
        plan = self.module.callee(node)
        names = self.module.of[plan.name]
        args, named = self.arguments.passed(index, node, plan, names.params, self.parameter)
        return call(names.name, [*operands, *args], named)

    def _operands(
        self, node: Node, row: Row | None, taken: dict[str, Piece]
    ) -> tuple[dict[str, Any], list[str]]:
        """The operands by name, as code, and the variables that are read."""
        reads: list[str] = []
        as_literals = self._as_literals(node, row)
        codes: list[Code | None] = []
        for name in node.inputs:
            if name in taken:
                reads.extend(taken[name].reads)
            elif name in self.variables.held:
                reads.append(name)
            if name is None:
                codes.append(None)
            else:
                codes.append(taken[name].code if name in taken else self.value(name, node, as_literals))
        if row is None:
            return {f"operand{i}": code for i, code in enumerate(codes)}, reads
        operands: dict[str, Any] = {}
        for position, name in enumerate(node.op.operands):
            if name.startswith("*"):
                operands[name[1:]] = codes[position:]
            else:
                operands[name.strip("?")] = codes[position] if position < len(codes) else None
        return operands, reads

    def value(self, name: str, consumer: Node | None = None, as_literal: bool = False) -> Code:
        """A value that is not pending: a variable, a constant, or a weight."""
        if name in self.literals:
            return self.scalar(name, as_literal, consumer)
        if name in self.variables.held:
            return Code(self.variables.held[name])
        return self.weight(name)

    def _as_literals(self, node: Node, row: Row | None) -> bool:
        """Whether scalar constants may be Python numbers here: only beside a tensor."""
        return bool(row and row.literals and any(n and n not in self.literals for n in node.inputs))

    def scalar(self, name: str, as_literal: bool, consumer: Node | None) -> Code:
        """A constant: as a number beside a tensor, or as a tensor of its own."""
        index, node = self.literals[name]
        # A size that is not known when the code is compiled may be a tensor of whole numbers.
        is_tensor = node.op.spec_name() == "size" and self.rows.backend.options.get("sizes_are_tensors")
        if not as_literal or consumer is None or is_tensor:
            row = self.plan.rows[index]
            assert row is not None
            source = self.arguments.source(index, node, {}, self.parameter, self._extra)
            return self.rows.expression(row, source)
        field = "dim" if node.op.spec_name() == "size" else "value"
        value = self.arguments.slot(index, field, getattr(node.op, field), self.parameter)
        if isinstance(value, int) and not isinstance(value, bool) and self.graph.types[name].is_float:
            others = (self.graph.types[i] for i in consumer.inputs if i and i not in self.literals)
            value = value if all(t.is_float for t in others) else float(value)
        return literal(value)

    def weight(self, path: str) -> Code:
        """A weight as a value, by its path in the graph."""
        native, layout = self.module.native(self.plan, path)
        code = Code("self" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in native))
        axes = parse(layout).axes if layout else None
        if axes is None or axes == tuple(range(len(axes))):
            return code
        values = {"tensor": code, "axes": axes}
        template = self.rows.backend.options["transposed"]
        return self.rows.template(template, None, values.__getitem__, ("tensor", "axes"))

    def _kind(self, node: Node, row: Row | None) -> str:
        if row is None:
            return "heavy"
        if row.kind in ("infix", "prefix"):
            return "arithmetic"
        if not node.inputs and row.kind == "init":
            return "atom"
        types = self.graph.types
        if any(types[path].rank > 1 for path in node.weights.values() if path in types):
            return "heavy"
        tensors = [name for name in node.inputs if name and name not in self.literals]
        alike = len(tensors) == 1 and types[tensors[0]] == types[node.output]
        if not tensors:
            return "atom"
        if alike:
            return "light"
        return "postfix" if row.kind == "method" or row.text.startswith("{{ x|atom }}") else "other"

    def _takes(self, kind: str, piece: Piece) -> bool:
        limit = TAKES[kind if kind in TAKES else "other"].get(piece.kind)
        if limit is None or piece.depth > limit or len(piece.code) > WIDTH - 24:
            return False
        return piece.heavy == 0 or kind in ("arithmetic", "light")


def needed(graph: Graph, instead: Mapping[str, str] | None = None) -> tuple[set[int], dict[str, int]]:
    """The nodes that a result depends on, and how often these read each value. What stands `instead` of a value
    that may not be there is read beside it.
    """
    uses: dict[str, int] = {}
    others = instead or {}

    def use(name: str) -> None:
        if name not in uses and name in others:
            use(others[name])
        uses[name] = uses.get(name, 0) + 1

    for output in graph.outputs:
        use(output.value)
    found: set[int] = set()
    for index in range(len(graph.nodes) - 1, -1, -1):
        node = graph.nodes[index]
        if any(output in uses for output in node.outputs):
            found.add(index)
            for name in node.inputs:
                if name:
                    use(name)
    return found, uses

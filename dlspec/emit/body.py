"""The body of a printed function: a graph as statements, as a person would break them.

An unnamed value that is used once is written into the expression that uses it while that stays easy to read
(`F.relu(self.bn1(self.conv1(x)))`, `x + self.attention(self.norm(x))`); other values become variables.
A variable is used again as soon as its value is dead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlspec.emit.dims import Shapes
from dlspec.emit.loops import Line, Loops
from dlspec.emit.manifest import Row
from dlspec.emit.naming import ModuleNames
from dlspec.emit.pieces import WIDTH, Piece
from dlspec.emit.rows import Rows
from dlspec.ir.condition import renamed
from dlspec.ir.graph import Call, Node
from dlspec.passes.options import Option
from dlspec.passes.outline import Plan
from dlspec.passes.rolled import Loop


class Body(Loops):
    """Prints one graph."""

    def __init__(self, plan: Plan, names: ModuleNames, rows: Rows, shapes: Shapes) -> None:
        super().__init__(plan, names, rows)
        self.shapes = shapes
        self._within: list[Option] = []  # whose nodes are being printed

    def statements(self) -> tuple[list[Line], str]:
        """The statements, and the expression to return."""
        inside = {index for option in self.plan.options for index in option.nodes}
        for index in sorted(self.needed - inside):
            self._node(index)
        self._options(output.value for output in self.graph.outputs)
        returns = ", ".join(self._returned(output.value) for output in self.graph.outputs)
        return [*(Line(text) for text in self.sizes.prologue()), *self.lines], returns

    def _node(self, index: int) -> None:
        """One node, after the options that it reads from."""
        node, row = self.graph.nodes[index], self.plan.rows[index]
        self._options(name for name in node.inputs if name)
        only = self.graph.outputs[0].value if len(self.graph.outputs) == 1 else None
        is_last = index == max(self.needed) and node.output == only
        self._statement(index, node, row, returned=is_last and only not in self.optional)

    def _options(self, names: Iterable[str]) -> None:
        for name in names:
            option = self.optional.pop(name, None)
            if option is not None:
                for value in option.instead:
                    self.optional.pop(value, None)
                self._option(option)

    def _option(self, option: Option) -> None:
        """What only some instances do, and what stands in its place in the others."""
        results = [value for value in option.instead if self.uses.get(value)]
        self._options(option.instead[value] for value in results)
        others = [option.instead[value] for value in results]
        for name in others:
            if name in self.pending:
                self.assign((name,), self.pending.pop(name))
        outside, self.lines = self.lines, []
        self._within.append(option)
        made = option.nodes[-1]
        for index in option.nodes:
            if index != made or len(results) != 1:
                self._node(index)
        if len(results) != 1 or results[0] != self.graph.nodes[made].output:
            inside, self.lines = self.lines, outside
            self._within.pop()
            self._either(option, inside, results, others)
            return
        self._options(name for name in self.graph.nodes[made].inputs if name)
        piece = self.piece(made, self.graph.nodes[made], self.plan.rows[made])
        inside, self.lines = self.lines, outside
        self._within.pop()
        self._one(option, inside, results[0], others[0], piece)

    def _one(self, option: Option, inside: list[Line], result: str, other: str, piece: Piece) -> None:
        """An option that gives one value, by its last node."""
        instead = self.value(other)
        self.variables.release([*piece.reads, other])
        target = self.variables.hold(result, [other])
        absent, condition = self._absent(option)
        short = (
            f"{instead} if {absent} else {piece.code}"
            if absent
            else f"{piece.code} if {condition} else {instead}"
        )
        shape = self.shapes.comment(result)
        if not inside and target != instead and len(target) + 3 + len(short) <= WIDTH:
            text = f"{target} = {short}"
            self.lines.append(Line(f"{text}  # {shape}" if len(text) + len(shape) + 4 <= WIDTH else text))
            return
        self.lines.append(Line(f"if {condition}:"))
        self.lines.extend(Line(line.text, line.indent + 1) for line in inside)
        self.lines.append(Line(f"{target} = {piece.code}", 1))
        if target != instead:
            self.lines.extend([Line("else:"), Line(f"{target} = {instead}", 1)])

    def _either(self, option: Option, inside: list[Line], results: list[str], others: list[str]) -> None:
        """An option that gives several values, or one that is not its last."""
        for name in results:
            if name in self.pending:
                outside, self.lines = self.lines, inside
                self.assign((name,), self.pending.pop(name))
                inside, self.lines = self.lines, outside
        codes = [self.value(name) for name in others]
        targets = [str(self.value(name)) for name in results]
        self.variables.release([name for name in others if name in self.variables.held])
        self.lines.append(Line(f"if {self._absent(option)[1]}:"))
        self.lines.extend(Line(line.text, line.indent + 1) for line in inside)
        self.lines.extend([Line("else:"), Line(f"{', '.join(targets)} = {', '.join(codes)}", 1)])

    def _absent(self, option: Option) -> tuple[str, str]:
        """How to ask whether an option is not there (if that is shorter), and whether it is."""
        made = self.module.optional_attribute(self.plan, option)
        if made:
            return f"self.{made} is None", f"self.{made} is not None"
        condition = option.condition
        for outer in self._within:  # what is asked around it need not be asked again
            condition = condition.removeprefix(f"{outer.condition} and ")
        return "", renamed(condition, self.parameter)

    def _statement(self, index: int, node: Node, row: Row | None, *, returned: bool) -> None:
        """Print one node, or keep its expression until it is used."""
        if _is_scalar(node):
            self.literals[node.output] = (index, node)
        elif isinstance(node.op, Loop):
            self.list_loop(node, node.op)
        elif isinstance(node.op, Call) and node.op.repeat > 1 and not self.is_stack(node):
            self.copies_loop(index, node, node.op)
        else:
            piece = self.piece(index, node, row)
            once = len(node.outputs) == 1 and self.uses.get(node.output) == 1
            if once and (returned or node.output.startswith("%")):
                self.pending[node.output] = piece
            else:
                self.assign(node.outputs, piece)

    def assign(self, values: Sequence[str], piece: Piece) -> None:
        """Put a value into a variable. Results that nobody reads are `_`."""
        before = {self.shapes.comment(name) for name in piece.reads}
        self.variables.release(piece.reads)
        targets = [self.variables.hold(v, piece.reads) if self.uses.get(v) else "_" for v in values]
        pattern = piece.row.results if piece.row and piece.row.results else ", ".join(["{}"] * len(targets))
        text = f"{pattern.format(*targets)} = {piece.code}"
        shape = self.shapes.comment(values[0])
        if len(values) == 1 and shape not in before and len(text) + len(shape) + 4 <= WIDTH:
            text += f"  # {shape}"
        self.lines.append(Line(text))

    def _returned(self, value: str) -> str:
        piece = self.pending.pop(value, None)
        if piece is not None:
            if len(self.graph.outputs) == 1 and len(piece.code) <= WIDTH - 7:
                return piece.code
            self.assign((value,), piece)
        return self.value(value)


def _is_scalar(node: Node) -> bool:
    """Whether a node is a number that may be written where it is used."""
    name = node.op.spec_name()
    return name == "size" or (
        name == "constant" and not isinstance(getattr(node.op, "value", ()), (list, tuple))
    )

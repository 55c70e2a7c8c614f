"""The body of a printed function: a graph as statements, as a person would break them.

An unnamed value that is used once is written into the expression that uses it while that stays easy to read
(`F.relu(self.bn1(self.conv1(x)))`, `x + self.attention(self.norm(x))`); other values become variables.
A variable is used again as soon as its value is dead.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlspec.emit.dims import Shapes
from dlspec.emit.loops import Line, Loops
from dlspec.emit.manifest import Row
from dlspec.emit.naming import ModuleNames
from dlspec.emit.pieces import WIDTH, Piece
from dlspec.emit.rows import Rows
from dlspec.ir.graph import Call, Node
from dlspec.passes.outline import Plan
from dlspec.passes.rolled import Loop


class Body(Loops):
    """Prints one graph."""

    def __init__(self, plan: Plan, names: ModuleNames, rows: Rows, shapes: Shapes) -> None:
        super().__init__(plan, names, rows)
        self.shapes = shapes

    def statements(self) -> tuple[list[Line], str]:
        """The statements, and the expression to return."""
        last = max(self.needed, default=-1)
        only = self.graph.outputs[0].value if len(self.graph.outputs) == 1 else None
        for index in sorted(self.needed):
            node = self.graph.nodes[index]
            self._statement(
                index, node, self.plan.rows[index], returned=index == last and node.output == only
            )
        returns = ", ".join(self._returned(output.value) for output in self.graph.outputs)
        return [*(Line(text) for text in self.sizes.prologue()), *self.lines], returns

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

"""Loops in a printed function: over copies of one block, and over the blocks of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.emit.code import Code, call, literal
from dlspec.emit.manifest import MISSING
from dlspec.emit.naming import ModuleNames, key_of
from dlspec.emit.pieces import Expressions, Piece
from dlspec.emit.rows import Rows
from dlspec.ir.graph import Call, Node
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.passes.outline import Plan
from dlspec.passes.rolled import Loop


@dataclass(frozen=True, slots=True)
class Line:
    """One logical line of a body; its indent is relative to the body."""

    text: str
    indent: int = 0

    def __str__(self) -> str:
        return "    " * self.indent + self.text


class Loops(Expressions):
    """Prints the loops of one graph."""

    def __init__(self, plan: Plan, names: ModuleNames, rows: Rows) -> None:
        super().__init__(plan, names, rows)
        self.lines: list[Line] = []

    def is_stack(self, node: Node) -> bool:
        """Whether copies in a row are one layer, which is called like any other."""
        plain = len(node.inputs) == len(node.outputs) == 1
        return plain and self.module.callee(node).name not in self.module.functions

    def copies_loop(self, index: int, node: Node, op: Call) -> None:
        """A stack of blocks that pass on several values, or are all given another one."""
        codes, reads = self._read(node)
        carried, rest = codes[: op.carried], codes[op.carried :]
        self.variables.release([name for name in node.inputs[: op.carried] if name in self.variables.held])
        targets = self._carry(node.outputs, carried, reads)
        head, made = self._copy(index, node, [Code(target) for target in targets] + rest)
        self.lines.append(Line(head))
        self.lines.append(Line(f"{', '.join(targets)} = {made}", 1))
        self.variables.release([name for name in node.inputs[op.carried :] if name in self.variables.held])

    def list_loop(self, node: Node, op: Loop) -> None:
        """The blocks of a list, of which each gets a slice of some tensor, or gives one of a result."""
        codes, reads = self._read(node)
        self.variables.release(reads)
        carried = {place: code for place, code in zip(op.carries, codes, strict=True) if place is not None}
        held = self._carry([node.outputs[place] for place in carried], list(carried.values()), reads)
        targets = dict(zip(carried, held, strict=True))
        blocks = self.names.attributes[key_of(node)]
        over = {self._singular(blocks): Code(f"self.{blocks}")}
        block = next(iter(over))
        items: dict[str, str] = {}
        operands = []
        for i, (code, place, slices) in enumerate(zip(codes, op.carries, op.slices, strict=True)):
            if slices is not None:
                item = self._item(op.items[i], str(code))
                if op.items[i]:
                    items[op.items[i]] = item
                over[item] = self._expression(slices, [self.graph.types[node.inputs[i] or ""]], x=code)
                code = Code(item)
            operands.append(code if place is None else Code(targets[place]))
        several = ", ".join(over.values())
        head = f"for {', '.join(over)} in {several if len(over) == 1 else f'zip({several}, strict=True)'}"
        made = call(block, operands)
        if len(node.outputs) == 1 and op.stacks[0] is not None:
            self._gather(node.outputs[0], op, op.stacks[0], Code(f"[{made} {head}]"))
        else:
            self._collect(node, op, head, made, targets, items)

    def _collect(
        self, node: Node, op: Loop, head: str, made: Code, targets: dict[int, str], items: dict[str, str]
    ) -> None:
        """A loop that puts some of what its rounds give into lists, and what becomes of these."""
        results = [targets.get(place, "_") for place in range(len(node.outputs))]
        lists: dict[int, str] = {}
        for place, name in enumerate(op.results):
            if op.stacks[place] is not None:
                lists[place] = self.variables.names.fresh(f"{name or 'result'}s")
                results[place] = items.pop(name, "") or self._item(name, lists[place])
                self.lines.append(Line(f"{lists[place]} = []"))
        self.lines.append(Line(f"{head}:"))
        self.lines.append(Line(f"{', '.join(results)} = {made}", 1))
        for place, name in lists.items():
            self.lines.append(Line(f"{name}.append({results[place]})", 1))
        for place, name in lists.items():
            self._gather(node.outputs[place], op, op.stacks[place], Code(name))

    def _gather(self, value: str, op: Loop, stacks: Op, items: Code) -> None:
        """The tensor that the results of all blocks make."""
        kind = self.graph.types[value]
        axis = stacks.axis  # type: ignore[attr-defined]
        one = kind.with_shape([size for i, size in enumerate(kind.shape) if i != axis])
        piece = Piece(self._expression(stacks, [one] * op.repeat, xs=items), [], "other", 1)
        if self.uses.get(value) == 1 and value.startswith("%"):
            self.pending[value] = piece
        else:
            self.assign((value,), piece)

    def _expression(self, op: Op, types: Sequence[TensorType], **operands: Code) -> Code:
        """An operator that has no node of its own, applied."""
        row = self.rows.backend.row(op, tuple(types))
        assert row is not None
        facts = op.facts(*types)

        def source(name: str) -> Any:
            return operands.get(name, facts.get(name, getattr(op, name, MISSING)))

        return self.rows.expression(row, source)

    def _read(self, node: Node) -> tuple[list[Code], list[str]]:
        """The operands of a loop, and which of them are variables."""
        for name in node.inputs:
            if name in self.pending:
                self.assign((name,), self.pending.pop(name))
        codes = [self.value(name, node) for name in node.inputs if name]
        return codes, [name for name in node.inputs if name in self.variables.held]

    def _carry(self, values: Sequence[str], first: Sequence[Code], reads: Sequence[str]) -> list[str]:
        """The variables that go from copy to copy, which hold at first what the first copy gets."""
        targets = [self.variables.hold(value, reads) for value in values]
        if targets and [str(code) for code in first] != targets:
            self.lines.append(Line(f"{', '.join(targets)} = {', '.join(first)}"))
        return targets

    def _copy(self, index: int, node: Node, operands: Sequence[Code]) -> tuple[str, Code]:
        """The head of a loop over copies, and one copy applied."""
        assert isinstance(node.op, Call)
        if self.module.callee(node).name in self.module.functions:
            repeat = self.arguments.slot(index, "repeat", node.op.repeat, self.parameter)
            return f"for _ in range({literal(repeat)}):", self.called(index, node, operands)
        layer = self.variables.names.fresh("block")
        return f"for {layer} in self.{self.names.attributes[key_of(node)]}:", call(layer, operands)

    def _item(self, name: str, several: str) -> str:
        """A new variable for one of several: called as in the spec, or after them."""
        return self.variables.names.fresh(name) if name else self._singular(several)

    def _singular(self, name: str) -> str:
        """A new variable for one of several."""
        stem = name.rstrip("0123456789")
        plural = stem.endswith("s") and not stem.endswith("ss") and len(stem) > 2
        return self.variables.names.fresh(stem[:-1] if plural else f"one_{stem}")

"""What a row may mention of a node: operands, fields, facts, and the parameters that stand for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dlspec.emit.code import Code, literal
from dlspec.emit.dims import size_code
from dlspec.emit.manifest import MISSING
from dlspec.emit.rows import Source
from dlspec.ir.graph import Call, Node
from dlspec.ir.types import TensorType
from dlspec.passes.outline import Plan
from dlspec.passes.slots import MISSING as REQUIRED
from dlspec.passes.slots import Expression

Parameter = Callable[[str], Code]
"""How a variable of the class is written: `channels` in the constructor, `self.channels` elsewhere."""

FEW = 2
"""So many numbers a call passes without saying what they are: what comes in, and what comes out."""


class Arguments:
    """The arguments of the nodes of one class."""

    def __init__(self, plan: Plan, plain: Callable[[Any], Any]) -> None:
        self.plan, self._plain = plan, plain

    def source(
        self,
        index: int,
        node: Node,
        operands: Mapping[str, Any],
        parameter: Parameter,
        extra: Source | None = None,
    ) -> Source:
        """Everything that the row of node `index` may mention, by name."""
        types: tuple[TensorType | None, ...] = self.plan.graph.input_types(node)
        facts: dict[str, Any] | None = None

        def get(name: str) -> Any:
            nonlocal facts
            if name in operands:
                return operands[name]
            if facts is None:
                facts = node.op.facts(*types)
            if name in facts:
                return self.slot(index, name, facts[name], parameter)
            if name in type(node.op).model_fields:
                return self.slot(index, name, getattr(node.op, name), parameter)
            return extra(name) if extra else MISSING

        return get

    def slot(self, index: int, source: str, value: Any, parameter: Parameter) -> Any:
        """An argument of a node: its own value, or what gives it."""
        found = self.plan.slots.get((index, source)) if self.plan.slots else None
        if found is None:
            return self._plain(value)
        return self._filled(found, parameter)

    def _filled(self, found: Any, parameter: Parameter) -> Any:
        """A value with what gives the parts of it written out."""
        if isinstance(found, Expression):
            return size_code(found.dim, parameter)
        if isinstance(found, tuple):
            return tuple(self._filled(item, parameter) for item in found)
        return self._plain(found)

    def passed(
        self, index: int, node: Node, callee: Plan, params: Mapping[str, str], parameter: Parameter
    ) -> tuple[list[Code], list[tuple[str, Code]]]:
        """What a call passes to the class or function `callee`, whose parameters are called `params`: by position,
        where that is plain enough, and by name.
        """
        assert isinstance(node.op, Call)
        given = callee.arguments(node.op.graph)
        args: list[Code] = []
        named: list[tuple[str, Code]] = []
        for position, param in enumerate(callee.params):
            value = self.slot(index, param.name, given[param.name], parameter)
            is_telling = isinstance(value, Code) or (type(value) is int and position < FEW)
            if param.default is REQUIRED and is_telling and not named and not callee.graph.function:
                args.append(literal(value))
            elif param.default is REQUIRED or isinstance(value, Code) or value != param.default:
                named.append((params[param.name], literal(value)))
        return args, named

"""The constructor of a printed class: layers, blocks, constants and raw weights, one attribute each."""

from __future__ import annotations

from typing import Any

from dlspec.emit.arguments import Arguments
from dlspec.emit.code import Code, call
from dlspec.emit.manifest import MISSING, Row
from dlspec.emit.naming import ClassNames, ModuleNames, held_by, key_of
from dlspec.emit.rows import Rows
from dlspec.ir.condition import renamed
from dlspec.ir.graph import Call, Node, Weight
from dlspec.ir.op import Init
from dlspec.passes.outline import Plan, raw_weights
from dlspec.passes.rolled import Loop


def is_stack(node: Node) -> bool:
    """Whether copies of a block are applied by the framework's own sequence, not by a loop over a list."""
    return len(node.inputs) == len(node.outputs) == 1 and not isinstance(node.op, Loop)


class Attributes:
    """Makes the statements of one constructor."""

    def __init__(self, plan: Plan, names: ModuleNames, rows: Rows) -> None:
        self.plan, self.module, self.rows = plan, names, rows
        self.backend = rows.backend
        self.names: ClassNames = names.of[plan.name]
        self.arguments = Arguments(plan, lambda value: value)
        self.needs: dict[str, None] = {}
        self._weights = {weight.name: weight for weight in plan.graph.weights}

    def statements(self) -> list[str]:
        """One statement for each attribute, in the order of first use."""
        lines = [self._raw(-1 - i, weight) for i, weight in enumerate(raw_weights(self.plan.graph))]
        made: set[str] = set()
        options = {index: option for option in self.plan.options for index in option.nodes}
        always = [index for index in range(len(self.plan.rows)) if index not in options]
        for index in always:
            lines.extend(self._made(index, made))
        for option in self.plan.options:
            inside = [line for index in option.nodes for line in self._made(index, made)]
            if inside:
                condition = renamed(option.condition, self.parameter)
                lines.append(f"self.{self.module.optional_attribute(self.plan, option)} = None")
                lines.append(f"if {condition}:")
                lines.extend(f"    {line}" for line in inside)
        return lines

    def _made(self, index: int, made: set[str]) -> list[str]:
        """The statements that make what a node needs, if it has not been made."""
        node, row = self.plan.graph.nodes[index], self.plan.rows[index]
        key = key_of(node)
        if key in made or (row is not None and row.kind != "init"):
            return []
        if row is None and self.module.callee(node).name in self.module.functions:
            return []
        made.add(key)
        target = f"self.{self.names.attributes[key]}"
        if row is None:
            return [f"{target} = {self._block(index, node)}"]
        lines = [f"{target} = {self._layer(index, node, row)}", *self._redrawn(target, node, row)]
        return [*lines, self._option("freeze", layer=Code(target))] if node.frozen else lines

    def parameter(self, variable: str) -> Code:
        """A variable of the class, inside the constructor."""
        return Code(self.names.params[self.plan.names[variable]])

    def _layer(self, index: int, node: Node, row: Row) -> Code:
        self.needs.update(dict.fromkeys(row.needs))

        def extra(name: str) -> Any:
            return self._fresh(index, node) if name == "fresh" else MISSING

        source = self.arguments.source(index, node, {}, self.parameter, extra)
        made = self.rows.template(row.text, row, source) if "{{" in row.text else self.rows.call(row, source)
        return self.rows.template(row.wrap, None, {"layer": made}.get, ("layer",)) if row.wrap else made

    def _redrawn(self, target: str, node: Node, row: Row) -> list[str]:
        """Statements for the initialisers that the spec gives; others are the layer's own."""
        lines: list[str] = []
        for local in node.weights:
            init = getattr(node.op, f"{local}_init", None)
            if isinstance(init, Init) and init.kind in self.backend.redraws:
                weight = Code(f"{target}.{row.native(local).name}")
                lines.append(self._draw(self.backend.redraws[init.kind], init, weight=weight))
        return lines

    def _block(self, index: int, node: Node) -> Code:
        assert isinstance(node.op, Call)
        plan = self.module.callee(node)
        names = self.module.of[plan.name]
        args, named = self.arguments.passed(index, node, plan, names.params, self.parameter)
        made = call(names.name, args, named)
        if node.op.repeat == 1:
            return made
        form = "stack" if is_stack(node) else "list"
        repeat = self.arguments.slot(index, "repeat", node.op.repeat, self.parameter)
        return self._option(form, block=made, repeat=repeat)

    def _raw(self, index: int, weight: Weight) -> str:
        made = self._tensor(weight, self._shape(index, weight))
        return f"self.{self.names.attributes[held_by(weight.name)]} = {made}"

    def _shape(self, index: int, weight: Weight) -> Any:
        return self.arguments.slot(index, "shape", tuple(weight.type.shape), self.parameter)

    def _fresh(self, index: int, node: Node) -> Code:
        weight = self._weights[next(iter(node.weights.values()))]
        return self._tensor(weight, self._shape(index, weight))

    def _tensor(self, weight: Weight, shape: Any) -> Code:
        tensor = self._draw(self.backend.inits[weight.init.kind], weight.init, shape=shape)
        return self._option("parameter" if weight.trainable else "buffer", tensor=tensor)

    def _draw(self, template: str, init: Init, **values: Any) -> Code:
        values["args"] = init.args
        if init.kind in self.backend.snippets:
            self.needs[init.kind] = None
        return self.rows.template(template, None, lambda name: values.get(name, MISSING), tuple(values))

    def _option(self, option: str, **values: Any) -> Code:
        template = self.backend.options[option]
        return self.rows.template(template, None, lambda name: values.get(name, MISSING), tuple(values))

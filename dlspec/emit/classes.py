"""A printed class as plain data: all that a template needs."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from dlspec.emit.attributes import Attributes
from dlspec.emit.body import Body
from dlspec.emit.code import comment_text, literal
from dlspec.emit.dims import Shapes
from dlspec.emit.loops import Line
from dlspec.emit.naming import ModuleNames, kept
from dlspec.emit.rows import Rows
from dlspec.passes.outline import Plan
from dlspec.passes.slots import MISSING as REQUIRED
from dlspec.passes.slots import Parameter


@dataclass(frozen=True, slots=True)
class Argument:
    """A parameter of a printed function."""

    name: str
    annotation: str
    default: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.annotation}" + (f" = {self.default}" if self.default else "")


@dataclass(frozen=True, slots=True)
class ClassDef:
    """One class: its docstring's lines, constructor, and forward function."""

    name: str
    doc: tuple[str, ...]
    params: tuple[Argument, ...]
    fields: tuple[str, ...]
    inputs: tuple[str, ...]
    lines: tuple[Line, ...]
    returns: str
    outputs: int
    needs: tuple[str, ...] = ()
    is_function: bool = False


def class_def(plan: Plan, names: ModuleNames, rows: Rows, *, entry: bool = False) -> ClassDef:
    """The class that a plan describes. Of the entry, what it is for is told at the top of the module."""
    own = names.of[plan.name]
    shapes = Shapes(plan, [names.graph(key) for key in plan.keys], rows.backend.layout)
    attributes = Attributes(plan, names, rows)
    fields = attributes.statements()
    body = Body(plan, names, rows, shapes)
    lines, returns = body.statements()
    keeps = [f"self.{own.attributes[kept(name)]} = {own.params[name]}" for name in body.kept]
    return ClassDef(
        name=own.name,
        doc=_doc(plan, shapes, "" if entry else plan.graph.doc),
        params=tuple(_argument(param, own.params[param.name]) for param in plan.params),
        fields=(*keeps, *fields),
        inputs=tuple(body.variables.names(value.name) for value in plan.graph.inputs),
        lines=tuple(lines),
        returns=returns,
        outputs=len(plan.graph.outputs),
        needs=(*attributes.needs, *body.needs),
        is_function=body.is_function,
    )


def _argument(param: Parameter, name: str) -> Argument:
    default = "" if param.default is REQUIRED else literal(param.default)
    return Argument(name, _annotation(param.values), default)


def _annotation(values: tuple[Any, ...]) -> str:
    kinds = {type(value) for value in values}
    if type(None) in kinds:
        return f"{_annotation(tuple(value for value in values if value is not None))} | None"
    for kind in (bool, int, str):
        if kinds == {kind}:
            return kind.__name__
    if kinds <= {int, float}:
        return "float"
    if all(isinstance(v, (list, tuple)) and all(type(i) is int for i in v) for v in values):
        return "tuple[int, ...]"
    if kinds <= {int, tuple}:
        return "int | tuple[int, ...]"
    return "object"


def _doc(plan: Plan, shapes: Shapes, purpose: str) -> tuple[str, ...]:
    """What the spec says of the block, and the types of what goes in and out."""
    graph = plan.graph
    inputs = ", ".join(f"{comment_text(v.name.partition('@')[0])}: {shapes.of(v.name)}" for v in graph.inputs)
    outputs = ", ".join(f"{_label(o.name, len(graph.outputs))}{shapes.of(o.value)}" for o in graph.outputs)
    signature = [f"{inputs} -> {outputs}." if inputs else f"{outputs}."]
    if len(signature[0]) > 78:
        signature = [*wrapped(inputs, 78), *wrapped(f"-> {outputs}.", 78)]
    return (*wrapped(comment_text(purpose), 78), "", *signature) if purpose else tuple(signature)


def _label(output: str, count: int) -> str:
    """The name of a result, but for the only one of a block, which needs none."""
    return "" if count == 1 and output == "output" else f"{comment_text(output)}: "


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines for a docstring."""
    return wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def docstring(text: str, indent: int = 4) -> str:
    """What stands between the quotes of a docstring: a line, or several and the indent of the quotes after them."""
    lines = wrapped(text, 82 - indent)
    return f"\n{' ' * indent}".join([*lines, ""] if len(lines) > 1 else lines)

"""A graph as the body of a function over named columns: a preparation, a loss, metrics."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dlspec.emit.body import Body
from dlspec.emit.code import quoted
from dlspec.emit.dims import Shapes
from dlspec.emit.manifest import Backend
from dlspec.emit.naming import ModuleNames
from dlspec.emit.pieces import WIDTH
from dlspec.emit.rows import Rows
from dlspec.ir.graph import Program
from dlspec.passes import prepare
from dlspec.passes.flatten import inline_functions
from dlspec.passes.outline import outline


@dataclass(frozen=True, slots=True)
class Function:
    """A printed graph.

    columns
        the columns that it reads, to the variables that hold them.
    lines
        its statements, without unpacking and return.
    results
        expressions by the names of the outputs.
    needs
        helpers that the file must have: names of snippets.
    """

    columns: Mapping[str, str]
    lines: tuple[str, ...]
    results: Mapping[str, str]
    needs: tuple[str, ...] = ()

    def unpacked(self, holder: str, indent: int) -> list[str]:
        """The statement that takes the columns out of the dictionary `holder`, if any are used."""
        if not self.columns:
            return []
        values = [f"{holder}[{quoted(name)}]" for name in self.columns]
        left = ", ".join(self.columns.values())
        line = f"{left} = {', '.join(values)}"
        if indent + len(line) <= WIDTH or len(values) == 1:
            return [line]
        return [f"{left} = (", *(f"    {value}," for value in values), ")"]


def print_function(
    program: Program,
    key: str,
    backend: Backend,
    models: Iterable[str] = (),
    taken: Iterable[str] = (),
    attributes: Mapping[str, str] | None = None,
) -> Function:
    """Print the graph `key`, whose calls are `attributes` of `self`; `taken` are attributes in use.

    `models` are keys of graphs that are printed elsewhere as they are, and so keep what goes in and out.
    """
    backend = replace(backend, attributes=frozenset({*backend.attributes, *taken}))
    models = [*models]
    program = prepare(inline_functions(program, key, models), [*models, key], backend)
    plans = outline(program, key, backend)
    plan = plans.of[key]
    graph = plan.graph
    body = Body(
        plan, ModuleNames(plans, backend, attributes), Rows(backend), Shapes(plan, [graph], backend.layout)
    )
    body.in_method = True
    lines, returns = body.statements()
    texts = [str(line).removesuffix("  # []") for line in lines]
    code = "\n".join([*texts, returns])
    variables = {value.name: body.variables.names(value.name) for value in graph.inputs}
    used = {name: v for name, v in variables.items() if re.search(rf"\b{v}\b", code)}
    values = _apart(returns, len(graph.outputs))
    results = {output.name: value for output, value in zip(graph.outputs, values, strict=True)}
    return Function(used, tuple(texts), results, tuple(body.needs))


def _apart(text: str, count: int) -> list[str]:
    """The expressions of a tuple."""
    if count == 1:
        return [text]
    parts = ast.parse(text, mode="eval").body
    assert isinstance(parts, ast.Tuple)
    return [ast.get_source_segment(text, part) or "" for part in parts.elts]

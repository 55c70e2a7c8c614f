"""Printing a model as a Python module."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dlspec import __version__
from dlspec.emit.classes import ClassDef, class_def, wrapped
from dlspec.emit.code import comment_text
from dlspec.emit.imports import block, needed, split_imports
from dlspec.emit.manifest import Backend
from dlspec.emit.naming import ModuleNames
from dlspec.emit.rows import Rows
from dlspec.emit.wrap import tidy
from dlspec.ir.graph import Program
from dlspec.passes import prepare
from dlspec.passes.outline import outline


def print_model(program: Program, model_name: str, backend: Backend) -> str:
    """The text of ``model.py`` for one model: helpers, blocks, then the model's class."""
    return print_graphs(program, [program.models[model_name]], backend)


def print_graphs(program: Program, keys: Sequence[str], backend: Backend) -> str:
    """The text of ``model.py`` for one or several graphs, which share their blocks."""
    program = prepare(program, keys, backend)
    plan = outline(program, keys, backend)
    names, rows = ModuleNames(plan, backend), Rows(backend)
    models = [each for each in plan.plans if {*each.keys} & {*keys}]
    classes = [
        class_def(each, names, rows, entry=models == [each])
        for each in plan.plans
        if each.name not in names.inlined
    ]
    doc = program.graphs[keys[-1]].doc if len(models) == 1 else ""
    source = comment_text(program.source.replace("\\", "/"))
    return print_module(
        "model.py.jinja",
        backend,
        classes=classes,
        helpers=dict.fromkeys(name for c in classes for name in c.needs),
        title="\n".join(wrapped(_title([names.of[each.name].name for each in models], doc), 84)),
        origin=f"Printed by dlspec {__version__}" + (f" from {source}" if source else "") + ".",
    )


def print_module(
    template: str, backend: Backend, *, classes: list[ClassDef], helpers: Iterable[str], **values: object
) -> str:
    """A module from a template: rendered, given its imports, and formatted."""
    texts = [split_imports(backend.snippets[name]) for name in helpers]
    bodies = [body for _, body in texts]
    body = backend.template(template).render(classes=classes, helpers=bodies, **values)
    imports = [line for lines, _ in texts for line in lines]
    head, mark, rest = body.partition("#: imports\n")
    return tidy(
        f"{head}{block([*imports, *needed(rest, backend.imports)])}\n{_own(rest, backend)}{rest}"
        if mark
        else body
    )


def _own(code: str, backend: Backend) -> str:
    lines = needed(code, backend.own_imports)
    return f"\n{block(lines)}\n" if lines else ""


def _title(names: Sequence[str], doc: str) -> str:
    """The first line of a module: its models, and what the only one is for."""
    *others, name = names
    name = f"{', '.join(others)} and {name}" if others else name
    text = comment_text(doc)
    first, _, rest = text.partition(" ")
    text = f"{first.lower()} {rest}" if first in ("A", "An", "The") else text
    return f"{name}: {text}" if text else f"{name}."

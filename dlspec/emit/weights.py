"""Where the canonical weights of a model are in the printed code."""

from __future__ import annotations

from dlspec.emit.manifest import Backend
from dlspec.emit.naming import ModuleNames
from dlspec.ir.graph import Program
from dlspec.passes import prepare
from dlspec.passes.outline import outline


def weight_map(program: Program, model: str, backend: Backend) -> list[tuple[str, str, str | None]]:
    """For every weight: canonical path, dotted path of attributes, and layout where it is another.

    In the state dictionary of a printed PyTorch module the dotted path is the key.
    """
    key = program.models[model]
    prepared = prepare(program, [key], backend)
    names = ModuleNames(outline(prepared, key, backend), backend)
    return [(path, ".".join(map(str, native)), layout) for path, native, layout in names.paths(key)]

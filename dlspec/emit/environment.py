"""Printing a world to play in as ``data.py``: the world itself, and the memory of what happened."""

from __future__ import annotations

from dlspec.emit.code import comment_text, literal, quoted, sequence
from dlspec.emit.imports import block
from dlspec.emit.manifest import load_backend
from dlspec.emit.templates import environment
from dlspec.emit.wrap import tidy
from dlspec.ir.data import DataSet

IMPORTS = ("import gymnasium", "import numpy as np")


def print_environment(data: DataSet) -> str:
    """The text of ``data.py`` for a world."""
    world, numpy = data.environment, load_backend("numpy")
    assert world is not None
    columns = [
        {
            "name": quoted(name),
            "shape": sequence(["SIZE", *(literal(dim) for dim in kind.shape)]),
            "dtype": numpy.values["dtype"][kind.dtype],
        }
        for name, kind in data.columns.items()
    ]
    body = (
        environment()
        .get_template("common/environment.py.jinja")
        .render(
            title=comment_text(data.doc or data.name),
            world=quoted(data.source.args[0]),
            shape=literal(tuple(data.columns["state"].shape)),
            size=literal(world.replay),
            start=literal(world.start),
            every=literal(world.every),
            first=literal(world.first),
            last=literal(world.last),
            steps=literal(world.steps),
            columns=columns,
        )
    )
    head, _, rest = body.partition("#: imports\n")
    return tidy(f"{head}{block(IMPORTS)}\n{rest}")

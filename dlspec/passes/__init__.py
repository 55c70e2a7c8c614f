"""Transformations of the IR: a graph in, an equal graph out."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from dlspec.ir.graph import Program

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend


def prepare(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """Make the graphs `keys`, and all they call, legal for a backend: its named passes, then lowering.

    A pass ``NAME`` is the function ``NAME(program, keys, backend)`` of the module ``dlspec.passes.NAME``.
    """
    wanted = list(keys)
    for name in (*backend.passes, "lower"):
        program = getattr(import_module(f"dlspec.passes.{name}"), name)(program, wanted, backend)
    return program

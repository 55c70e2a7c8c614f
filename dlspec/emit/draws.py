"""Deterministic draws: a backend that draws from counted streams, and the file ``draws.py`` that they are in."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from dlspec.emit.manifest import Backend, read_rows
from dlspec.ir.graph import Program
from dlspec.passes.named_draws import draws

FILE = "draws.py"


@cache
def counted(backend: Backend) -> Backend:
    """The backend whose draws are functions of stream, seed, step and element: rows of ``draws.toml``."""
    return replace(
        backend,
        passes=("named_draws", *backend.passes),
        rows={**backend.rows, **read_rows(backend.folder, "draws.toml")},
        reserved=backend.reserved | {"draws"},
        attributes=backend.attributes | {"draws"},
        own_imports={r"\bdraws\.": "import draws"},
    )


def print_draws(backend: Backend) -> str:
    """The text of ``draws.py``."""
    return (backend.folder / FILE).read_text("utf-8")


def step_line(program: Program, key: str, backend: Backend) -> list[str]:
    """The statement that begins a step whose graph is `key`: none where nothing is drawn by counting."""
    return ["draws.next_step()"] if backend.own_imports and draws(program, key) else []


def measure_line(program: Program, key: str, backend: Backend) -> list[str]:
    """The statement that begins a measurement: it draws by the step before, and moves none of training."""
    drawn = backend.own_imports and draws(program, key) - {"Dropout"}
    return ["draws.same_step()"] if drawn else []

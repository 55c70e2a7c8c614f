"""The rows of the ONNX manifest as templates, each compiled once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, meta

from dlspec.emit.onnx_text import Raw, literal


@cache
def compiled(text: str) -> tuple[Callable[[dict[str, Any]], str], tuple[str, ...]]:
    """A row's template, and the names that it mentions. The last line carries the node's name."""
    lines = [line.strip() for line in text.strip("\n").splitlines()]
    lines[-1] = "[{{ label }}] " + lines[-1]
    source = "".join(f"{line}\n" if line.startswith("{%") else f"  {line}\n" for line in lines)
    environment = _environment()
    mentioned = meta.find_undeclared_variables(environment.parse(source))
    template = environment.from_string(source + "\n")  # Jinja drops the last newline
    return template.render, tuple(sorted(mentioned))


@cache
def _environment() -> Environment:
    made = Environment(undefined=StrictUndefined, finalize=literal, trim_blocks=True, lstrip_blocks=True)
    made.filters["join"] = lambda items, between=", ": Raw(between.join(map(literal, items)))
    return made

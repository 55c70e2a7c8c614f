"""Jinja as the backends use it: templates interpolate, Python decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from jinja2.ext import Extension

from dlspec._data import data_path
from dlspec.emit.code import ATOM, Code, literal
from dlspec.passes.expressions import collapse


class PlaceLines(Extension):
    """Lines such as ``#: fields`` in a template give way to what features add there: `places` (features.py)."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """The template with a loop over lines for each place; ``#: imports`` is for the printer."""
        loop = r"{% for line in places['\2'] %}\n\1{{ line }}\n{% endfor %}"
        return re.sub(r"^( *)#: (?!imports$)(\w+)$", loop, source, flags=re.MULTILINE)


def environment(folder: Traversable | None = None) -> Environment:
    """An environment for whole files, read from `folder`, or ``common/NAME``; an unknown name is an error."""

    def load(name: str) -> str | None:
        place = data_path("backends") if name.startswith("common/") else folder
        file = place / name if place else None
        return file.read_text("utf-8") if file and file.is_file() else None

    made = Environment(
        loader=FunctionLoader(load),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=[PlaceLines],
    )
    made.filters["concat"] = lambda first, second: [*first, *second]
    made.filters["suffix"] = lambda items, text: [f"{item}{text}" for item in items]
    made.filters["returned"] = returned
    return made


def returned(count: int, kind: str) -> str:
    """The annotation of a function that returns `count` values of a kind."""
    return kind if count == 1 else f"tuple[{', '.join([kind] * count)}]"


def expressions(tables: Mapping[str, Mapping[str, str]]) -> Environment:
    """An environment for Python expressions in manifests: values are printed as literals.

    Filters: ``x|atom`` puts parentheses around anything that binds less than a call; ``axes|items`` prints a
    sequence without brackets, and one of nothing as ``()``; ``[x, h0]|given`` leaves out None, and
    ``[x, h0, c0]|given|paired`` prints ``x, (h0, c0)``; ``index|subscript`` prints slices;
    ``dtype|TABLE`` looks up a table of the manifest.
    """
    made = Environment(undefined=StrictUndefined, finalize=literal)
    made.filters["atom"] = lambda code: Code(literal(code).at(ATOM))
    made.filters["items"] = lambda items: Code(", ".join(literal(item) for item in items) or "()")
    made.filters["given"] = lambda items: [item for item in items if item is not None]
    made.filters["paired"] = lambda items: Code(", ".join([literal(items[0]), *_pair(items[1:])]))
    made.filters["collapse"] = collapse
    made.filters["subscript"] = lambda entries: Code(", ".join(map(_subscript, entries)))
    made.filters["text"] = lambda value: Code(str(value))
    for name, table in tables.items():
        made.filters[name] = lambda value, table=table: Code(table[str(value)])
    return made


def _pair(items: list[Any]) -> list[str]:
    """What comes after the first of some operands, as one tuple."""
    return [f"({', '.join(map(literal, items))})"] if items else []


def _subscript(entry: Any) -> str:
    """One entry of a subscript: a size, None for a new axis, or (start, stop, step) as a slice."""
    if not isinstance(entry, (list, tuple)):
        return literal(entry)
    start, stop, step = ("" if part is None else str(literal(part)) for part in entry)
    parts = [start, stop, *([step] if step else [])]
    if all(re.fullmatch(r"-?\w*", part) for part in parts):
        return ":".join(parts)
    # as `ruff format` has it: spaces beside what is more than a name or a number
    return " : ".join(parts).strip().replace(" :  : ", " :: ")

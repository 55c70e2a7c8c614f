"""What each error code means: the entries of `grammar/errors/*.toml`, which also make the pages and the tests."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

from dlspec._data import data_path


@dataclass(frozen=True, slots=True)
class Entry:
    """An error code: what is wrong, why that is an error, a spec that has it, and the same spec mended."""

    code: str
    title: str
    why: str
    fails: str
    works: str
    files: dict[str, str] = field(default_factory=dict)
    """Other files that the examples import, by name."""
    shown_as: str = "spec"
    """`spec`, or `words` where the examples are no specs (command lines, bytes) and cannot be tested as such."""

    def as_dict(self) -> dict[str, Any]:
        """The entry as plain data."""
        return asdict(self)


@cache
def entries() -> dict[str, Entry]:
    """Every entry by its code, in the order of the codes."""
    tables = [table for file in _files() for table in _read(file).items()]
    return {code: Entry(code, **facts) for code, facts in sorted(tables)}


def explain(code: str) -> Entry:
    """The entry of a code. Raises `KeyError`."""
    return entries()[code.upper()]


def _files() -> list[Traversable]:
    folder = data_path("grammar") / "errors"
    return sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)


def _read(file: Traversable) -> dict[str, dict[str, Any]]:
    return tomllib.loads(file.read_text(encoding="utf-8"))

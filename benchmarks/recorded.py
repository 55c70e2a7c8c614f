"""What was measured is kept as JSON beside a page that is written from it alone; several may measure at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock

from dlspec.weights.store import replacing

DOCS = Path(__file__).resolve().parent.parent / "docs"


def lock(path: Path) -> FileLock:
    """Held while a record is read and written: one process at a time, as each takes in what others wrote."""
    return FileLock(path.with_name(f".{path.name}.lock"))


def kept(path: Path) -> dict[str, Any]:
    """What a file holds; nothing where there is none."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file of JSON, whole or not at all."""
    write(path, json.dumps(values, indent=2) + "\n")


def update(path: Path, new: Mapping[str, Any], page: Callable[[dict[str, Any]], str]) -> None:
    """Take rows into a file of JSON, sorted by name, and write its page, of the same name, from all of them."""
    with lock(path):
        rows = dict(sorted({**kept(path), **new}.items()))
        write_json(path, rows)
        write(path.with_suffix(".md"), page(rows))


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rows))

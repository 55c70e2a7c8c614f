"""What is wrong with a source that cannot be read: where the spec says it, and what would help."""

from __future__ import annotations

import re
from typing import Any

from dlspec.diagnostics import SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.sources import source_path
from dlspec.ir.data import DataSet
from dlspec.ir.graph import Program
from dlspec.syntax import tree
from dlspec.syntax.parser import parse_file
from dlspec.syntax.source import Span

ABSENT = re.compile(r"has no such column, only (.*)")
CATEGORIES = re.compile(r"has (\d+) categories, not")
SHAPES = re.compile(r"an example has shape \[(.*)\], expected \[(.*)\]")

# What an error of a library says -> what would help.
HINTS = (
    ("could not convert string to float", "a column of names that stand for classes is declared `category(n)`"),
    ("URL fetch failure", "it is downloaded when it is read first, which needs the network"),
    ("Couldn't reach", "it is downloaded when it is read first, which needs the network"),
    ("urlopen error", "it is downloaded when it is read first, which needs the network"),
)  # fmt: skip


def reading(program: Program, data: DataSet, action: Any) -> Any:
    """Do what reads a data set. Raises `SpecError` (DLS0704) that tells what is wrong with it, and where it is said."""
    try:
        return action()
    except (SpecError, ModuleNotFoundError):
        raise
    except Exception as error:  # whatever a library says of a file that it cannot read
        why, hint = _told(data, error)
    message = f"the data `{data.name}` cannot be read: {why}"
    raise fail("DLS0704", message, *_place(program, data, why), hint=hint) from None


def _told(data: DataSet, error: Exception) -> tuple[str, str]:
    """What is wrong, and what would help."""
    if missing := _missing(data):
        return missing
    names = _names(data)
    absent = [name for name in data.columns if names and name not in names]
    if isinstance(error, KeyError) and absent:
        guess = closest(absent[0], names)
        return f"{absent[0]}: the source has no such column, only {', '.join(names)}", (
            f"did you mean `{guess}`?" if guess else "columns are read by the names that the spec gives them"
        )
    if isinstance(error, KeyError):
        return (
            f"the source has no {error.args[0]!r}",
            "columns are read by the names that the spec gives them",
        )
    if isinstance(error, OSError) and error.filename:
        return (
            f"`{error.filename}`: {error.strerror}",
            "paths are relative to the folder in which dlspec is called",
        )
    why = " ".join(str(error).split()) or type(error).__name__
    known = (hint for part, hint in HINTS if part in why)
    return why, next(known, None) or _help(why) or "compare `columns` with what the source has"


def _missing(data: DataSet) -> tuple[str, str] | None:
    """What is told of a file, or a folder of images, that is not there."""
    path = source_path(data.source)
    if path is None:
        return None
    if not path.exists():
        return f"`{path}` does not exist", "paths are relative to the folder in which dlspec is called"
    if data.source.kind == "images" and not data.source.options.get("table") and not any(path.glob("*/*")):
        return f"`{path}` has no images", f"there is a folder of images for each class: `{path}/CLASS/FILE`"
    return None


def _names(data: DataSet) -> list[str]:
    """The columns that a source has, where they have names; empty where that is not known."""
    path = data.source.args[0] if data.source.args else ""
    try:
        if data.source.kind == "npz":
            import numpy as np

            return list(np.load(path).files)
        if data.source.kind == "parquet":
            import pyarrow.parquet as pq

            return list(pq.read_schema(path).names)
    except Exception:  # then that is what is told
        return []
    return []


def _help(why: str) -> str | None:
    """What would help with a column of which something is wrong."""
    column = why.partition(":")[0]
    if found := ABSENT.search(why):
        guess = closest(column, found[1].split(", "))
        return f"did you mean `{guess}`?" if guess else None
    if found := CATEGORIES.search(why):
        return f"write `category({found[1]})`"
    if not (found := SHAPES.search(why)):
        return None
    there, wanted = ([int(size) for size in part.split(",") if size.strip()] for part in found.groups())
    if len(there) != 3 or [there[2], there[0], there[1]] != wanted:
        return None
    return (
        f"its channels come last: declare `{column}: f32{there}`, and put them first in `prepare`: "
        f"`{column} = transpose({column}, axes = [0, 3, 1, 2])`"
    )


def _place(program: Program, data: DataSet, why: str) -> tuple[Span | None, str]:
    """Where the spec declares what is wrong: the column that `why` begins with, or the source."""
    settings = _settings(program, data)
    column = why.partition(":")[0]
    if isinstance(columns := settings.get("columns"), tree.Dict):
        for name, kind in columns.items:
            if name.id == column:
                return name.span.to(kind.span), "this column"
    if "source" in settings and data.source.kind != "python":
        return settings["source"].span, "read from here"
    return None, ""


def _settings(program: Program, data: DataSet) -> dict[str, tree.Expr]:
    """What the spec sets in the declaration of a data set; empty where the spec is no file, or it is imported."""
    try:
        file = parse_file(program.source)
    except (SpecError, OSError):
        return {}
    for item in file.items:
        if isinstance(item, tree.Declaration) and item.kind == "data" and item.name.id == data.name:
            return {e.name.id: e.value for e in item.entries if isinstance(e, tree.Setting)}
    return {}

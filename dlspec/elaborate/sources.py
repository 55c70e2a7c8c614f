"""The kinds of data sources, as ``backends/common/sources.toml`` lists them, and what each may be given."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from dlspec._data import data_path
from dlspec.elaborate.synthetic import generators
from dlspec.ir.data import Source


class SourceError(ValueError):
    """A source is given what it does not take; `key` is the option or the position to blame, if one is.

    `known` are the words that would do.
    """

    def __init__(self, message: str, key: str | int | None = None, known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.key, self.known = message, key, known


PATHS = {"path", "folder", "file"}
"""Arguments that name something on disk."""

_WORDS = {str: "a string", bool: "`true` or `false`"}


@cache
def kinds() -> Mapping[str, Mapping[str, Any]]:
    """Every kind of source by name."""
    text = (data_path("backends") / "common" / "sources.toml").read_text("utf-8")
    found: Mapping[str, Mapping[str, Any]] = tomllib.loads(text)
    return found


def source_arguments(source: Source) -> dict[str, Any]:
    """The arguments of a source by name, defaults included. Raises `SourceError`."""
    what = f"`{source.kind}`"
    if source.kind not in kinds():
        raise SourceError(f"{what} is no source of data", known=tuple(kinds()))
    kind = kinds()[source.kind]
    names, options = kind.get("args", []), kind.get("options", {})
    if source.kind == "synthetic":
        return _synthetic(source)
    if len(source.args) > len(names):
        raise SourceError(f"{what} is given too many arguments", len(names))
    if len(source.args) < len(names):
        raise SourceError(f"{what} needs its {names[len(source.args)]}")
    for name in source.options:
        if name not in options:
            raise SourceError(f"{what} has no option `{name}`", name, tuple(options))
    for name, value in source.options.items():
        if type(value) is not type(options[name]):
            raise SourceError(f"`{name}` of {what} must be {_WORDS[type(options[name])]}", name)
    for position, (name, value) in enumerate(zip(names, source.args, strict=True)):
        choices = kind.get("choices", {}).get(name)
        if not isinstance(value, str):
            raise SourceError(f"the {name} of {what} must be a string", position)
        if choices and value not in choices:
            raise SourceError(f'{what} has no {name} "{value}"', position, tuple(choices))
    return {**options, **dict(zip(names, source.args, strict=True)), **source.options}


def source_kind(source: Source, stream: bool = False, with_texts: bool = False) -> dict[str, Any]:
    """How a source is read: its kind, as options, columns of text or a stream change it. Raises `SourceError`."""
    values = source_arguments(source)
    kind = dict(kinds()[source.kind])
    kind |= kind.get("cases", {}).get(source.args[0], {})
    for option, changed in kind.get("when", {}).items():
        kind |= changed if values[option] else {}
    if with_texts:
        kind |= kind.get("texts", {})
    return {**kind, **kind.get("stream", {})} if stream else kind


def source_path(source: Source) -> Path | None:
    """The file or folder that a source is read from; None where it is none that the spec names."""
    kind = kinds()[source.kind]
    names = [
        str(value) for name, value in zip(kind.get("args", ()), source.args, strict=False) if name in PATHS
    ]
    if not names or kind.get("hub") or names[0] in kind.get("cases", {}):
        return None
    return Path(names[0])


def outside_source(text: str) -> Source:
    """What `FILE.py:FUNCTION` on the command line stands for. Raises `SourceError`."""
    file, _, function = text.rpartition(":")
    if not file.endswith(".py") or not function.isidentifier():
        raise SourceError(f"a source is written FILE.py:FUNCTION, not `{text}`")
    return Source(kind="python", args=(file, function))


def _synthetic(source: Source) -> dict[str, Any]:
    """The name of a generator and the options given to it."""
    known = tuple(generators())
    if len(source.args) != 1 or not isinstance(source.args[0], str):
        raise SourceError("`synthetic` takes the name of a generator, and its options", known=known)
    name = source.args[0]
    if name not in known:
        raise SourceError(f'`synthetic` has no generator "{name}"', 0, known)
    generator = generators()[name]
    for option, value in source.options.items():
        if option not in generator.options:
            raise SourceError(
                f'`synthetic("{name}")` has no option `{option}`', option, tuple(generator.options)
            )
        if wanted := generator.wrong(option, value):
            raise SourceError(f"`{option}` must be {wanted}", option)
    return {"name": name, "given": source.options}


def source_columns(source: Source) -> tuple[str, ...] | None:
    """The names of the columns that a source has, where that is known before it is read."""
    if source.kind == "synthetic" and source.args and source.args[0] in generators():
        return generators()[source.args[0]].columns
    return None

"""The kinds of data sources, as ``backends/common/sources.toml`` lists them, and what each may be given."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

from dlspec._data import data_path
from dlspec.ir.training import Source


class SourceError(ValueError):
    """A source is given what it does not take; `key` is the option or the position to blame, if one is.

    `known` are the words that would do.
    """

    def __init__(self, message: str, key: str | int | None = None, known: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message, self.key, self.known = message, key, known


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
    if len(source.args) > len(names):
        raise SourceError(f"{what} is given too many arguments", len(names))
    if len(source.args) < len(names):
        raise SourceError(f"{what} needs its {names[len(source.args)]}")
    for name in source.options:
        if name not in options:
            raise SourceError(f"{what} has no option `{name}`", name, tuple(options))
    for position, (name, value) in enumerate(zip(names, source.args, strict=True)):
        choices = kind.get("choices", {}).get(name)
        if not isinstance(value, str):
            raise SourceError(f"the {name} of {what} must be a string", position)
        if choices and value not in choices:
            raise SourceError(f'{what} has no {name} "{value}"', position, tuple(choices))
    return {**options, **dict(zip(names, source.args, strict=True)), **source.options}

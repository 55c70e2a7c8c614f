"""The specs that come with dlspec, and what is known about their models: `specs/GROUP/facts*.toml`.

One table a model, ``[FILE.MODEL]``; see `Fact`. Tests, the gallery and ``dlspec specs`` all read these.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dlspec._data import data_path
from dlspec.diagnostics import fail
from dlspec.diagnostics.suggest import closest
from dlspec.ir.dims import Dim, Symbolic
from dlspec.summary import Summary
from dlspec.syntax.comments import comment_at_top
from dlspec.syntax.read import read_text
from dlspec.syntax.source import Source

LIBRARY = "std"  # the group of blocks to build from, which has no models
TRAINING = "training"  # the group that shows ways of learning, on networks that are too small for the gallery
SCHEME = "zoo:"  # `zoo:vision/resnet` is the shipped spec of that name, wherever one is asked for


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class _Counts(_Table):
    """What a model must come to, and where the numbers are from.

    parameters, state
        numbers of trained values, and of others.
    macs
        multiply-accumulates for one example as `dlspec summary` counts them; text where they are symbolic.
    """

    parameters: int
    macs: Dim | None = None
    state: int | None = None
    source: str

    def differences(self, summary: Summary) -> list[str]:
        """A line for each count of a summary that is not as it must be."""
        pairs = (
            (name, getattr(self, name), getattr(summary, name)) for name in ("parameters", "macs", "state")
        )
        return [
            f"{name}: {count(found)}, must be {count(wanted)}"
            for name, wanted, found in pairs
            if wanted is not None and wanted != found
        ]


class Size(_Counts):
    """A further published size of a model, with its settings as for ``--set``."""

    name: str
    set: dict[str, str]


class Small(_Table):
    """The instance whose numbers are compared: settings, and a tolerance where it must be looser, and why."""

    set: dict[str, str] = Field(default_factory=dict)
    tolerance: float | None = None
    why: str = ""


class Fact(_Counts):
    """What is known about a model.

    heavy
        comparing its numbers takes more than a few seconds: `make zoo` does it, `make test` does not.
    """

    macs: Dim
    heavy: bool = False
    small: Small = Small()
    sizes: list[Size] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of a shipped spec: `spec` is the spec's name, such as ``vision/resnet``."""

    spec: str
    model: str
    fact: Fact

    @property
    def group(self) -> str:
        return self.spec.partition("/")[0]

    @property
    def path(self) -> Path:
        return _folder() / f"{self.spec}.dls"

    def __str__(self) -> str:
        return f"{self.spec}:{self.model}"


def specs() -> dict[str, Path]:
    """Every shipped spec by name, but those of the library."""
    folder = _folder()
    paths = (path for path in sorted(folder.glob("*/*.dls")) if path.parent.name != LIBRARY)
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in paths}


def shipped(name: str) -> Path:
    """The file of a shipped spec: ``vision/resnet``, or ``resnet`` where no other group has one of that name."""
    known = specs()
    found = [key for key in known if name in (key, key.partition("/")[2])]
    if len(found) == 1:
        return known[found[0]]
    if found:
        listing = " and ".join(f"`{key}`" for key in found)
        raise fail(
            "DLS0810", f"there are several shipped specs called `{name}`", hint=f"choose from {listing}"
        )
    guess = closest(name, [*known, *(key.partition("/")[2] for key in known)])
    hint = f"did you mean `{guess}`?" if guess else "`dlspec specs` lists them"
    raise fail("DLS0810", f"no spec called `{name}` comes with dlspec", hint=hint)


def locate(spec: str | Path) -> Path:
    """The file that is meant by a path, or by ``zoo:NAME``."""
    text = str(spec)
    return shipped(text.removeprefix(SCHEME)) if text.startswith(SCHEME) else Path(spec)


@cache
def entries() -> tuple[Entry, ...]:
    """Every model of which facts are known, in the order of the specs' names."""
    order = list(specs())
    found = [entry for group in sorted({name.partition("/")[0] for name in order}) for entry in _read(group)]
    for entry in found:
        if entry.spec not in order:
            raise ValueError(f"facts are told about {entry}, and there is no such spec")
    return tuple(sorted(found, key=lambda entry: order.index(entry.spec)))


def gallery() -> tuple[Entry, ...]:
    """Every model that the gallery shows."""
    return tuple(entry for entry in entries() if entry.group != TRAINING)


def about(path: Path) -> str:
    """What a spec is: the first paragraph of the comment that it begins with, as one line."""
    comment = comment_at_top(Source(str(path), read_text(path)), [])
    return " ".join(comment.split("\n\n")[0].split())


def count(number: Dim) -> str:
    """A count as people write it."""
    return str(number) if isinstance(number, Symbolic) else f"{number:,}"


def _read(group: str) -> Iterator[Entry]:
    for path in sorted((_folder() / group).glob("facts*.toml")):
        try:
            tables = _facts().validate_python(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ValueError(f"{path}: {error}") from None
        for file, models in tables.items():
            for model, fact in models.items():
                yield Entry(f"{group}/{file}", model, fact)


@cache
def _facts() -> TypeAdapter[dict[str, dict[str, Fact]]]:
    return TypeAdapter(dict[str, dict[str, Fact]])


def _folder() -> Path:
    return Path(str(data_path("specs")))

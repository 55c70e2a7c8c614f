"""What trainings must reach: the tables of `specs/training/results*.toml`, checked, one a result."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from dlspec.zoo import TRAINING, specs

Backend = Literal["torch", "keras"]


class Baseline(BaseModel):
    """A number to compare with, and what it is the number of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    what: str


class Expected(BaseModel):
    """What a training must reach.

    spec
        a shipped spec; by default the one of this name in `specs/training/`.
    training
        which `train`, where the spec has several.
    options
        further words of the command line of ``dlspec train``, such as ``["--set", "depth=2"]``.
    backends, seeds
        what is run; the result is the mean over the seeds.
    figure
        SPLIT.METRIC among the results, such as ``test.accuracy``.
    at_least, at_most
        the limit: one of the two.
    note
        where the limit comes from, and what the figure is.
    why_not
        where a framework is left out of `backends`: what it cannot do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: str = ""
    training: str = ""
    options: tuple[str, ...] = ()
    backends: tuple[Backend, ...] = ("torch", "keras")
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    figure: str = Field(pattern=r"^\w+\.\w+$")
    at_least: float | None = None
    at_most: float | None = None
    baseline: Baseline | None = None
    note: str = Field(min_length=20)
    why_not: str = ""

    @model_validator(mode="after")
    def _one_limit(self) -> Expected:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("give one of at_least and at_most")
        if len(self.backends) < 2 and not self.why_not:
            raise ValueError("say in why_not what the framework left out cannot do")
        return self

    def reached(self, value: float) -> bool:
        """Whether the value is within the limit; what is not a number never is."""
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0.0)

    @property
    def limit(self) -> str:
        return f">= {self.at_least:g}" if self.at_least is not None else f"<= {self.at_most:g}"


def spec_of(name: str, expected: Expected) -> str:
    """The full name of the spec that a table is about, such as ``training/vae``."""
    spec = expected.spec or name
    return spec if "/" in spec else f"{TRAINING}/{spec}"


@cache
def expectations() -> dict[str, Expected]:
    """Every table by name, in the order of files and tables. ValueError where one is wrong or about no spec."""
    found: dict[str, Expected] = {}
    folder = Path(specs()["survey/mlp"]).parent.parent / TRAINING
    for path in sorted(folder.glob("results*.toml")):
        try:
            tables = TypeAdapter(dict[str, Expected]).validate_python(tomllib.loads(path.read_text("utf-8")))
        except (tomllib.TOMLDecodeError, ValidationError) as error:
            raise ValueError(f"{path}: {error}") from None
        for name, expected in tables.items():
            if name in found:
                raise ValueError(f"{path}: `{name}` has a table already")
            if spec_of(name, expected) not in specs():
                raise ValueError(
                    f"{path}: `{name}` is about {spec_of(name, expected)}, and there is no such spec"
                )
            found[name] = expected
    return found

"""Searches for the values of `let`s with which a training does best."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Range(BaseModel):
    """The numbers from `low` to `high`, both included, as candidates: even on a logarithmic scale if `log`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    low: int | float
    high: int | float
    log: bool = False


class Sweep(BaseModel):
    """A search over `let`s of a spec for the values with which a training does best.

    settings
        by the name of a `let`: the list of its candidates, or their range.
    metric, goal
        what is judged by, of what every epoch has, and whether it should be small (``min``) or large (``max``).
    trials
        how many are tried, chosen by what came before; None: every combination of the candidates.
    timeout
        seconds of all trials after which no other begins.
    sampler
        how values are chosen: ``tpe``, by what came before, or ``random``.
    prune
        when a trial is stopped: `median`, worse than that of the others at the epoch; `halving`, not among the best
        quarter after 1, 4, 16, ... epochs; or `none`.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    train: str
    settings: dict[str, list[Any] | Range] = Field(default_factory=dict)
    metric: str
    goal: str = "min"
    trials: int | None = None
    timeout: int | None = None
    sampler: str = "tpe"
    prune: str = "median"
    seed: int = 0

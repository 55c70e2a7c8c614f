"""What a verification found: checks with errors and tolerances, and the weights left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(slots=True)
class Check:
    """One comparison: `left` against `right` on `what`, the worst tensor of it, and the tolerance.

    error
        the largest absolute difference over the largest magnitude of the tensor; None when it could not be
        computed, and `note` says why (not a failure, but told).
    """

    what: str
    left: str
    right: str
    error: float | None
    tolerance: float
    tensor: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        return self.error is None or self.error <= self.tolerance


@dataclass(frozen=True, slots=True)
class Trajectory:
    """How far apart two runs of a training are.

    error, tensor
        the difference of the worst tensor of the weights, relative to its largest magnitude.
    chaos
        the same between PyTorch and PyTorch from disturbed weights; None where that was not asked for.
    noise
        weights whose true gradient is zero, not compared.
    """

    training: str
    precision: str
    steps: int
    error: float
    tensor: str
    chaos: float | None
    noise: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """All checks of one model.

    noise
        weights whose true gradient is zero, not compared.
    trajectories
        the trainings that were run, each with its chaos floor.
    """

    model: str
    precision: str
    checks: list[Check] = field(default_factory=list)
    noise: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trajectories: list[Trajectory] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"ok": self.ok, **asdict(self)}


def error_of(left: Any, right: Any) -> float:
    """The largest absolute difference over the largest magnitude; infinite where one is not finite."""
    a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if a.shape != b.shape:
        return float("inf")
    if a.size == 0:
        return 0.0
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if not np.all(np.isfinite(a) & np.isfinite(b) | same):
        return float("inf")
    difference = np.abs(np.where(same, 0.0, a - b)).max()
    scale = max(np.abs(a[np.isfinite(a)]).max(initial=0.0), np.abs(b[np.isfinite(b)]).max(initial=0.0))
    return 0.0 if difference == 0 else float(difference / scale)


def compare(
    what: str, left: tuple[str, dict[str, Any]], right: tuple[str, dict[str, Any]], tolerance: float,
    skip: set[str] = frozenset(),  # type: ignore[assignment]
) -> Check:  # fmt: skip
    """The worst tensor of two sets with the same names; a missing one is infinitely wrong."""
    names = [name for name in left[1] if name not in skip]
    missing = [n for n in {*left[1]} ^ {*right[1]} if n not in skip]
    errors = {name: error_of(left[1][name], right[1][name]) for name in names if name in right[1]}
    errors |= dict.fromkeys(missing, float("inf"))
    worst = max(errors, key=lambda name: errors[name], default="")
    return Check(what, left[0], right[0], errors.get(worst, 0.0), tolerance, worst)

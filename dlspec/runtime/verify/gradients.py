"""Gradients of both frameworks, compared; in f64 where f32 cannot tell."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlspec.runtime.verify.report import Check, Report, compare
from dlspec.runtime.verify.sides import Arrays

ZERO = 1e-12
"""A gradient below this part of the largest, in f64, is zero in exact arithmetic."""


def noise_of(exact: Arrays) -> list[str]:
    """Weights whose gradient, in f64, is nothing but rounding, though not exactly zero."""
    sizes = {name: float(np.abs(array).max(initial=0.0)) for name, array in exact.items()}
    largest = max(sizes.values(), default=0.0)
    return [name for name, size in sizes.items() if 0 < size < ZERO * largest]


def compare_gradients(
    report: Report,
    what: str,
    gradients: Callable[[str, bool], Arrays],
    tolerance: float | None,
    usual: tuple[float, float],
) -> None:
    """Add the comparison of PyTorch with Keras to a report.

    gradients
        by weight, of a framework in f32 (False) or f64 (True).
    tolerance
        what the user wants; without a wish it is `usual`, of f32 and f64, and rounding alone makes no difference: it
        decides on which side of a ReLU's kink or which element of a window a value falls, and is magnified where the
        variance of a batch is small. What is wrong for another reason is wrong in f64, too.
    """
    exact, double = gradients("torch", True), report.precision == "f64"
    noise = noise_of(exact)
    report.noise += [name for name in noise if name not in report.noise]

    def between(what: str, double: bool, limit: float) -> Check:
        torch = exact if double else gradients("torch", False)
        return compare(what, ("PyTorch", torch), ("Keras", gradients("keras", double)), limit, set(noise))

    check = between(what, double, usual[double] if tolerance is None else tolerance)
    if not check.ok and not double and tolerance is None:
        again = between(f"{what} in f64", True, usual[True])
        if again.ok:
            report.notes.append(
                f"{what} are compared in f64, as rounding to f32 makes a difference of {check.error:.0e}"
            )
            check = again
    report.checks.append(check)

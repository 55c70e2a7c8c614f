"""`windows = { length: 24, horizon: 1 }`: a series as pieces of the past, and what comes after each."""

from __future__ import annotations

from dlspec.diagnostics import fail
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.ir.data import SplitRule, Windows
from dlspec.ir.types import TensorType
from dlspec.syntax import tree

EXAMPLE = "write `windows = { length: 24, horizon: 1 }`"


def windows_of(expr: tree.Expr | None, rule: SplitRule | None, frame: Frame) -> Windows | None:
    """The setting; a series must be split in its order."""
    if expr is None:
        return None
    value = evaluate(expr, frame)
    sizes = value if isinstance(value, dict) else {}
    right = {"length", "horizon"} == set(sizes)
    if not right or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in sizes.values()):
        raise fail("DLS0505", "`windows` must have a length and a horizon, whole numbers of at least 1", expr.span,
                   "not that", EXAMPLE)  # fmt: skip
    if rule is None or rule.kind != "ordered":
        raise fail("DLS0505", "`windows` of a series need a split in its order", expr.span, "not split in order",
                   "write `split = ordered(train = 0.8, test = 0.2)`")  # fmt: skip
    return Windows(**sizes)


def windowed(columns: dict[str, TensorType], windows: Windows | None) -> dict[str, TensorType]:
    """The columns of one example: steps of the past, and under names with `_next` those to foretell."""
    if windows is None:
        return columns
    past = {name: kind.with_shape((windows.length, *kind.shape)) for name, kind in columns.items()}
    ahead = {
        f"{name}_next": kind.with_shape((windows.horizon, *kind.shape)) for name, kind in columns.items()
    }
    return {**past, **ahead}

"""Axes as the operators take them, and sizes that only the run knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dlspec.ir.dims import Dim
from dlspec.ir.op import OpError, axis_index
from dlspec.ir.types import TensorType

if TYPE_CHECKING:
    from dlspec.ir.builder import Builder, Handle

Axes = int | tuple[int, ...] | None
"""One axis, several, or (None) all of them; negative ones count from the end."""


def all_axes(axis: Axes, rank: int) -> tuple[int, ...]:
    """The axes that `axis` means in a tensor with `rank` axes, from the front and in order."""
    if axis is None:
        return tuple(range(rank))
    found = [axis_index(a, rank) for a in ((axis,) if isinstance(axis, int) else axis)]
    if len(set(found)) != len(found):
        raise OpError(
            f"an axis is named twice in {list(found)}", argument="axis", label="twice", code="DLS0303"
        )
    return tuple(sorted(found))


def known(dim: Dim, what: str, operand: int = 0) -> int:
    """`dim` as an int; raises `OpError` when it is symbolic."""
    if isinstance(dim, int):
        return dim
    raise OpError(
        f"{what} must be known, but here it is `{dim}`",
        operand=operand,
        label=f"`{dim}` is known only when the model runs",
        hint=f"give `{dim}` a size where the input is declared",
        code="DLS0305",
    )


def replaced(shape: Sequence[Dim], axis: int, *dims: Dim) -> tuple[Dim, ...]:
    """`shape` with the dimension at `axis` replaced by `dims` (none: dropped)."""
    return (*shape[:axis], *dims, *shape[axis + 1 :])


def size_value(b: Builder, dim: Dim, like: Handle) -> Handle:
    """A dimension as a scalar of `like`'s element type, also when only the run knows it."""
    handle: Any = (
        b.constant(dim, like=like) if isinstance(dim, int) else b.size(dim=dim, dtype=like.type.dtype)
    )
    return handle


def require_same_shape(x: TensorType, y: TensorType, what: str) -> None:
    """Raise `OpError` unless both have the same shape: nothing is broadcast in silence."""
    if x.shape != y.shape:
        raise OpError(
            f"{what} compares tensors of one shape, but got {x} and {y}",
            operand=1,
            label=f"not shaped like {x}",
            hint="use `reshape`, `squeeze` or `unsqueeze` so that they agree",
            code="DLS0313",
        )

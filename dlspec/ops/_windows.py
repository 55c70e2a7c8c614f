"""What convolution and pooling share: arguments per axis, padding, and the geometry of a moving window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType
from dlspec.ops._numpy import np

Pairs = tuple[tuple[int, int], ...]
WORDS = ("same", "valid", "causal")


def _is_int(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _sizes(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) and value else [value]
    if all(_is_int(item, 1) for item in items):
        return value
    raise PydanticCustomError("sizes", "expected a positive integer, or a list with one for each axis")


def _amounts(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) and value else [value]
    if all(_is_int(item, 0) for item in items):
        return value
    raise PydanticCustomError("sizes", "expected an integer of at least 0, or a list with one for each axis")


def _padding(value: Any) -> Any:
    if isinstance(value, str) and value in WORDS:
        return value
    items = value if isinstance(value, (list, tuple)) and value else [value]
    flat = [n for item in items for n in (item if isinstance(item, (list, tuple)) else [item])]
    pairs = [item for item in items if isinstance(item, (list, tuple))]
    even = not pairs or (len(pairs) == len(items) and all(len(pair) == 2 for pair in pairs))
    if even and all(_is_int(n, 0) for n in flat):
        return value
    raise PydanticCustomError(
        "padding",
        'expected an integer, "same", "valid", a list with one integer for each axis, '
        "or a list of [before, after] pairs",
    )


Sizes = Annotated[int | tuple[int, ...], BeforeValidator(_sizes)]
"""A positive integer for all axes, or one for each."""

Amounts = Annotated[int | tuple[int, ...], BeforeValidator(_amounts)]
"""An integer >= 0 for all axes, or one for each."""

Padding = Annotated[int | str | tuple[int, ...] | Pairs, BeforeValidator(_padding)]
"""As the user writes it; a resolved operator has one (before, after) pair for each axis."""


class _Windowed(Op):
    """Base of operators that move a window over the axes after [N, C]."""

    def __str__(self) -> str:
        given = {name: collapse(value) for name, value in self}
        fields = type(self).model_fields
        shown = [f"{name}={value}" for name, value in given.items() if value != fields[name].default]
        return f"{self.spec_name()}({', '.join(shown)})"


def collapse(value: Any) -> Any:
    """A tuple of equal elements as that element: ((1, 1), (1, 1)) as 1; anything else as it is."""
    if not isinstance(value, tuple) or not value:
        return value
    items = [collapse(item) for item in value]
    equal = all(item == items[0] for item in items) and not isinstance(items[0], tuple)
    return items[0] if equal else value


def per_axis(value: int | tuple[int, ...], rank: int, what: str, field: str) -> tuple[int, ...]:
    """One integer for each of `rank` axes."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        raise OpError(
            f"`{what}` moves over {rank} axes, but {field} has {len(value)} numbers: {list(value)}",
            argument=field,
            label=f"{rank} numbers are needed",
            hint=f"give one number for all axes, or {rank}",
            code="DLS0309",
        )
    return tuple(value)


def extents(kernel: Sequence[int], dilation: Sequence[int]) -> tuple[int, ...]:
    """The lengths that windows reach over: dilation * (kernel - 1) + 1."""
    return tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))


def resolve_padding(
    padding: Any, lengths: Sequence[Dim], reach: Sequence[int], stride: Sequence[int], what: str
) -> Pairs:
    """`padding` as one (before, after) pair for each axis.

    "same" gives ceil(length / stride) windows; of an odd total the larger half comes after.
    """
    rank = len(lengths)
    if padding == "causal":
        if rank != 1:
            raise OpError(
                f'padding = "causal" is for sequences, but `{what}` moves over {rank} axes',
                argument="padding",
                label="only for sequences",
                code="DLS0309",
            )
        return ((reach[0] - 1, 0),)
    if padding == "same":
        return tuple(
            _same(n, r, s, axis + 2, what)
            for axis, (n, r, s) in enumerate(zip(lengths, reach, stride, strict=True))
        )
    if padding == "valid":
        return ((0, 0),) * rank
    if isinstance(padding, tuple) and isinstance(padding[0], tuple):
        if len(padding) != rank:
            raise OpError(
                f"`{what}` moves over {rank} axes, but padding has {len(padding)} pairs",
                argument="padding",
                label=f"{rank} pairs are needed",
                code="DLS0309",
            )
        return padding
    return tuple((p, p) for p in per_axis(padding, rank, what, "padding"))


def _same(length: Dim, reach: int, stride: int, axis: int, what: str) -> tuple[int, int]:
    if stride == 1:
        total = reach - 1
    elif isinstance(length, int):
        total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    else:
        raise OpError(
            f'padding = "same" with stride {stride} needs a known size on axis {axis}, '
            f"but here it is `{length}`",
            operand=0,
            argument="padding",
            label=f"`{length}` is known only when the model runs",
            hint=f"write the padding as a number, or give `{length}` a size where the input is declared",
            code="DLS0305",
        )
    return total // 2, total - total // 2


def window_count(length: Dim, pads: tuple[int, int], reach: int, stride: int) -> Dim:
    """How many windows fit; not positive when none does."""
    return (length + sum(pads) - reach) // stride + 1


def known_channels(x: TensorType, what: str) -> int:
    """The size of axis 1; raises `OpError` when it is symbolic."""
    channels = x.shape[1]
    if isinstance(channels, int):
        return channels
    raise OpError(
        f"`{what}` expects the number of channels (axis 1) to be known, but here it is `{channels}`",
        operand=0,
        label="needs a fixed size on axis 1",
        hint=f"give `{channels}` a size where the input is declared",
        code="DLS0305",
    )


def padding_facts(padding: Pairs) -> dict[str, Any]:
    """What printers ask about resolved padding."""
    return {
        "padding_symmetric": all(lo == hi for lo, hi in padding),
        "symmetric_padding": tuple(lo for lo, _ in padding),
        "no_padding": not any(lo or hi for lo, hi in padding),
        "pads": (*(lo for lo, _ in padding), *(hi for _, hi in padding)),
    }


def windows(
    x: Any,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    padding: Pairs,
    fill: float = 0,
) -> Any:
    """The windows of a NumPy array [N, C, *lengths] as [N, C, *counts, *kernel]."""
    x = np.pad(x, ((0, 0), (0, 0), *padding), constant_values=fill)
    reach = extents(kernel, dilation)
    axes = tuple(range(2, x.ndim))
    view = np.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)
    steps = tuple(slice(None, None, s) for s in stride)
    taps = tuple(slice(None, None, d) for d in dilation)
    return view[(slice(None), slice(None), *steps, *taps)]

"""Convolutions and average pooling written out tap by tap, in slices and sums of products.

For backends whose own convolution cannot compute in f64. Slower than any convolution, and exactly its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from dlspec.ir.graph import Program
from dlspec.passes.replace import Replacement, replace_operators

if TYPE_CHECKING:
    from dlspec.emit.manifest import Backend

LETTERS = "xyz"


def taps(program: Program, keys: Iterable[str], backend: Backend) -> Program:
    """The program without Conv, ConvTranspose and AvgPool."""
    return replace_operators(program, RULES)


def _conv(b: Any, op: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    kernel, stride, dilation = op.geometry
    y = _correlate(b, _padded(b, x, op.pads(x.type)), weight, kernel, stride, dilation, op.groups)
    return _biased(b, y, bias)


def _conv_transpose(b: Any, op: Any, x: Any, weight: Any, bias: Any = None) -> Any:
    """Zeros between the elements, then a convolution with the mirrored kernel, then the padding is cut off."""
    kernel, stride, dilation = op.geometry
    x = _spread(b, x, stride)
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    pads = tuple(
        (r - lo, r - hi + extra) for r, (lo, hi), extra in zip(reach, op.pads(x.type), op.extra, strict=True)
    )
    x = _padded(b, x, tuple((max(lo, 0), max(hi, 0)) for lo, hi in pads))
    cut = [(max(-lo, 0), n - max(-hi, 0), 1) for n, (lo, hi) in zip(x.type.shape[2:], pads, strict=True)]
    x = b.slice(x, index=((None, None, None),) * 2 + tuple(cut))
    y = _correlate(b, x, _mirrored(b, weight, op.groups), kernel, (1,) * len(kernel), dilation, op.groups)
    return _biased(b, y, bias)


def _avg_pool(b: Any, op: Any, x: Any) -> Any:
    if not op.facts(x.type)["no_extent"]:
        return op.decompose(b, x)  # pads, and pools without padding
    kernel, stride, dilation = op.geometry
    windows = _windows(b, x, kernel, stride, dilation)
    return b.sum(windows, axis=2) / float(prod(kernel))


def _correlate(
    b: Any,
    x: Any,
    weight: Any,
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Any:
    batch, channels, *_ = x.type.shape
    windows = _windows(b, x, kernel, stride, dilation)
    counts = windows.type.shape[3:]
    inner, count, outer = channels // groups, prod(kernel), weight.type.shape[0] // groups
    windows = b.reshape(windows, shape=(batch, groups, inner, count, *counts))
    kernels = b.reshape(weight, shape=(groups, outer, inner, count))
    space = " ".join(LETTERS[: len(kernel)])
    y = b.einsum(windows, kernels, pattern=f"n g c k {space}, g o c k -> n g o {space}")
    return b.reshape(y, shape=(batch, groups * outer, *counts))


def _windows(b: Any, x: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Any:
    """[N, C, taps, *counts]."""
    counts = [
        (n - d * (k - 1) - 1) // s + 1
        for n, k, s, d in zip(x.type.shape[2:], kernel, stride, dilation, strict=True)
    ]
    parts = []
    for tap in product(*map(range, kernel)):
        ranges = tuple(
            (t * d, t * d + (count - 1) * s + 1, s)
            for t, d, s, count in zip(tap, dilation, stride, counts, strict=True)
        )
        parts.append(b.slice(x, index=((None, None, None), (None, None, None), *ranges)))
    return b.stack(*parts, axis=2)


def _spread(b: Any, x: Any, stride: Sequence[int]) -> Any:
    """`x` with stride - 1 zeros between its elements."""
    for axis, step in enumerate(stride, start=2):
        if step > 1:
            shape = x.type.shape
            apart = b.unsqueeze(x, axis=axis + 1)
            padding = ((0, step - 1), *((0, 0),) * (len(shape) - axis - 1))
            apart = b.pad(apart, padding=padding)
            joined = b.reshape(apart, shape=(*shape[:axis], shape[axis] * step, *shape[axis + 1 :]))
            keep = (0, (shape[axis] - 1) * step + 1, 1)
            x = b.slice(joined, index=(*((None, None, None),) * axis, keep))
    return x


def _mirrored(b: Any, weight: Any, groups: int) -> Any:
    """The kernel [C, O / groups, ...] of a transposed convolution as that of a convolution, [O, C / groups, ...]."""
    channels, outer, *kernel = weight.type.shape
    spatial = tuple(range(2, 2 + len(kernel)))
    apart = b.reshape(b.flip(weight, axis=spatial), shape=(groups, channels // groups, outer, *kernel))
    swapped = b.transpose(apart, axes=(0, 2, 1, *(axis + 1 for axis in spatial)))
    return b.reshape(swapped, shape=(groups * outer, channels // groups, *kernel))


def _padded(b: Any, x: Any, pads: Sequence[tuple[int, int]]) -> Any:
    return b.pad(x, padding=tuple(pads)) if any(map(any, pads)) else x


def _biased(b: Any, y: Any, bias: Any) -> Any:
    if bias is None:
        return y
    return y + b.reshape(bias, shape=(*bias.type.shape, *(1,) * (y.type.rank - 2)))


RULES: dict[str, Replacement] = {
    **{f"Conv{rank}d": _conv for rank in (1, 2, 3)},
    **{f"ConvTranspose{rank}d": _conv_transpose for rank in (1, 2, 3)},
    **{f"AvgPool{rank}d": _avg_pool for rank in (1, 2, 3)},
}

"""Pooling over moving windows."""

from __future__ import annotations

from itertools import product as grid
from math import prod
from typing import Any, ClassVar

from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops._pooling import _Pool
from dlspec.ops._windows import Sizes, per_axis


class _MaxPool(_Pool):
    fill: ClassVar[float] = float("-inf")

    dilation: Sizes = 1

    def _dilation(self) -> tuple[int, ...]:
        return per_axis(self.dilation, self.spatial, self.spec_name(), "dilation")

    def reference(self, x: Any) -> Any:
        return self._windows(x).max(axis=tuple(range(-self.spatial, 0)))

    def decompose(self, b: Any, x: Any) -> Any:
        if not any(lo or hi for lo, hi in self.extent(x.type)):
            return NotImplemented
        pad, plain = self.padless(x.type)
        return b.add(plain, [b.pad(x, **pad)])[0]


class _AvgPool(_Pool):
    count_include_pad: bool = True

    def counts(self, lengths: tuple[int, ...]) -> list[list[int]]:
        """For each axis, how many elements each window is divided by."""
        x = tensor("f32", (1, 1, *lengths))
        kernel, stride, _ = self.geometry
        out = self.infer(x).shape[2:]
        every = []
        for n, (lo, hi), k, s, count in zip(lengths, self.pads(x), kernel, stride, out, strict=True):
            first, end = (0, lo + n + hi) if self.count_include_pad else (lo, lo + n)
            every.append([min(i * s + k, end) - max(i * s, first) for i in range(int(count))])  # type: ignore[arg-type]
        return every

    def uniform(self, x: TensorType) -> bool:
        """Whether every window is divided by the number of its elements."""
        counted = self.pads(x) if self.count_include_pad else ((0, 0),) * self.spatial
        return self.extent(x) == counted

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {**super().facts(x), "uniform_divisor": self.uniform(x)}

    def reference(self, x: Any) -> Any:
        total = self._windows(x).sum(axis=tuple(range(-self.spatial, 0)))
        for axis, counts in enumerate(self.counts(x.shape[2:])):
            shape = [1] * total.ndim
            shape[axis + 2] = len(counts)
            total = total / np.asarray(counts, dtype=total.dtype).reshape(shape)
        return total

    def decompose(self, b: Any, x: Any) -> Any:
        uniform = self.uniform(x.type)
        static = all(isinstance(n, int) for n in x.type.shape[2:])
        if not any(lo or hi for lo, hi in self.extent(x.type)) or not (uniform or static):
            return NotImplemented
        pad, plain = self.padless(x.type)
        mean = b.add(plain, [b.pad(x, **pad)])[0]
        if uniform:
            return mean
        counts = self.counts(x.type.shape[2:])
        volume = prod(self.geometry[0])
        factors = _nested([len(c) for c in counts], [volume / prod(c) for c in grid(*counts)])
        return mean * b.constant(factors, like=x)


def _nested(shape: list[int], flat: list[float]) -> Any:
    """A flat list as nested lists of that shape."""
    if len(shape) == 1:
        return flat
    step = len(flat) // shape[0]
    return [_nested(shape[1:], flat[i : i + step]) for i in range(0, len(flat), step)]


class MaxPool1d(_MaxPool):
    """The largest of each window of a sequence: [N, C, T] to [N, C, T'], as `MaxPool2d`."""

    spatial: ClassVar = 1
    examples: ClassVar = [
        ({"kernel_size": 2}, ("f32[2, 3, 7]",)),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "dilation": 2}, ("f32[2, 3, 8]",)),
        ({"kernel_size": 3, "stride": 2, "ceil_mode": True}, ("f32[2, 3, 8]",)),
    ]


class MaxPool2d(_MaxPool):
    """The largest of each window: [N, C, H, W] to [N, C, H', W'].

    The stride is the window's size where it is not given. Padding never wins: it counts as -infinity.
    H' = (H + lo + hi - d (k - 1) - 1) // s + 1; with ceil_mode the division rounds up, but the last window
    must start inside the input or the padding before it. padding is written as for `Conv2d`.
    """

    spatial: ClassVar = 2
    examples: ClassVar = [
        ({"kernel_size": 2}, ("f32[2, 3, 6, 5]",)),
        ({"kernel_size": 3, "stride": 2, "padding": 1}, ("f32[2, 3, 7, 6]",)),
        ({"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}, ("f32[2, 3, 7, 6]",)),
        ({"kernel_size": 3, "stride": 2, "ceil_mode": True}, ("f32[2, 3, 8, 6]",)),
        ({"kernel_size": 2, "stride": 3, "padding": 1, "ceil_mode": True}, ("f32[2, 3, 6, 5]",)),
        ({"kernel_size": 2, "dilation": 2, "stride": 1}, ("f32[2, 3, 6, 5]",)),
        ({"kernel_size": 3, "stride": 1, "padding": "same"}, ("f32[2, 3, 6, 5]",)),
        ({"kernel_size": 2, "stride": 2, "padding": "same"}, ("f32[2, 3, 7, 5]",)),
    ]


class MaxPool3d(_MaxPool):
    """The largest of each window of a volume: [N, C, D, H, W] to [N, C, D', H', W'], as `MaxPool2d`."""

    spatial: ClassVar = 3
    examples: ClassVar = [
        ({"kernel_size": 2}, ("f32[1, 2, 4, 5, 4]",)),
        ({"kernel_size": [1, 2, 3], "stride": 2, "padding": [0, 1, 1]}, ("f32[1, 2, 3, 5, 4]",)),
    ]


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence: [N, C, T] to [N, C, T'], as `AvgPool2d`."""

    spatial: ClassVar = 1
    examples: ClassVar = [
        ({"kernel_size": 2}, ("f32[2, 3, 7]",)),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}, ("f32[2, 3, 8]",)),
    ]


class AvgPool2d(_AvgPool):
    """The mean of each window: [N, C, H, W] to [N, C, H', W'], placed as in `MaxPool2d`.

    Padding counts as zeros, or not at all with count_include_pad = false; what ceil_mode adds never counts.
    """

    spatial: ClassVar = 2
    examples: ClassVar = [
        ({"kernel_size": 2}, ("f32[2, 3, 6, 5]",)),
        ({"kernel_size": 3, "stride": 2, "padding": 1}, ("f32[2, 3, 7, 6]",)),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}, ("f32[2, 3, 7, 6]",)),
        ({"kernel_size": [3, 2], "stride": 2, "padding": 1, "ceil_mode": True}, ("f32[2, 3, 6, 6]",)),
        ({"kernel_size": 2, "stride": 1, "padding": "same"}, ("f32[2, 3, 5, 5]",)),
    ]


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume: [N, C, D, H, W] to [N, C, D', H', W'], as `AvgPool2d`."""

    spatial: ClassVar = 3
    examples: ClassVar = [
        ({"kernel_size": 2}, ("f32[1, 2, 4, 5, 4]",)),
        ({"kernel_size": 2, "padding": 1, "count_include_pad": False}, ("f32[1, 2, 3, 4, 4]",)),
    ]

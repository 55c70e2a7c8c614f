"""Convolutions."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self

from pydantic import PositiveInt

from dlspec.ir.dims import Dim
from dlspec.ir.op import Init, OpError, WeightSpec
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops._windows import (
    Padding,
    Pairs,
    Sizes,
    _Windowed,
    extents,
    known_channels,
    padding_facts,
    per_axis,
    resolve_padding,
    window_count,
    windows,
)
from dlspec.ops.dtypes import require_float, require_rank


class _Conv(_Windowed):
    stateful: ClassVar = True
    spatial: ClassVar[int]
    layout: ClassVar[str]

    out_channels: PositiveInt
    kernel_size: Sizes
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = 1
    groups: PositiveInt = 1
    bias: bool = True
    weight_init: Init | None = None
    bias_init: Init | None = None

    @property
    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel size, stride and dilation for each axis."""
        name = self.spec_name()
        fields = ("kernel_size", "stride", "dilation")
        kernel, stride, dilation = (per_axis(getattr(self, f), self.spatial, name, f) for f in fields)
        return kernel, stride, dilation

    def pads(self, x: TensorType) -> Pairs:
        """The padding for each axis."""
        kernel, stride, dilation = self.geometry
        return resolve_padding(self.padding, x.shape[2:], extents(kernel, dilation), stride, self.spec_name())

    def resolve(self, x: TensorType) -> Self:
        self._check(x)
        kernel, stride, dilation = self.geometry
        return self.model_copy(
            update={"kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": self.pads(x)}
        )

    def infer(self, x: TensorType) -> TensorType:
        self._check(x)
        kernel, stride, dilation = self.geometry
        reach = extents(kernel, dilation)
        pads = self.pads(x)
        counts = [
            window_count(n, p, r, s) for n, p, r, s in zip(x.shape[2:], pads, reach, stride, strict=True)
        ]
        for axis, count in enumerate(counts):
            if isinstance(count, int) and count < 1:
                raise self._too_large(x, axis, kernel, reach[axis], pads[axis])
        return x.with_shape((x.shape[0], self.out_channels, *counts))

    def _check(self, x: TensorType) -> None:
        name = f"`{self.spec_name()}`"
        require_float(x, name)
        require_rank(x, (self.spatial + 2,), name, self.layout)
        channels = known_channels(x, self.spec_name())
        if channels % self.groups or self.out_channels % self.groups:
            shown = f"the {channels} channels of {x}"
            if channels % self.groups == 0:
                shown = f"out_channels = {self.out_channels}"
            raise OpError(
                f"{name} cannot divide {shown} into {self.groups} groups",
                operand=0,
                argument="groups",
                label="does not divide them",
                hint=f"choose a number of groups that divides both {channels} and {self.out_channels}",
                code="DLS0306",
            )

    def _too_large(
        self, x: TensorType, axis: int, kernel: tuple[int, ...], reach: int, pads: tuple[int, int]
    ) -> OpError:
        dilated = "" if reach == kernel[axis] else f", dilated to {reach},"
        padded = f" ({x.shape[axis + 2]} + {pads[0]} + {pads[1]} padding)" if any(pads) else ""
        return OpError(
            f"`{self.spec_name()}`'s kernel of {kernel[axis]}{dilated} is larger than axis {axis + 2} "
            f"of {x}, which has {x.shape[axis + 2] + sum(pads)}{padded}",
            operand=0,
            argument="kernel_size",
            label=f"larger than axis {axis + 2}",
            hint="use a smaller kernel or more padding, or shrink the tensor less before this layer",
            code="DLS0308",
        )

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        kernel, _, _ = self.geometry
        inner = known_channels(x, self.spec_name()) // self.groups
        fan_in, fan_out = inner * prod(kernel), self.out_channels * prod(kernel)
        return self._drawn((self.out_channels, inner, *kernel), fan_in, fan_out)

    def _drawn(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> tuple[WeightSpec, ...]:
        default = Init(kind="uniform", args=(-(fan_in**-0.5), fan_in**-0.5))
        given = {"weight": (shape, self.weight_init), "bias": ((self.out_channels,), self.bias_init)}
        return tuple(
            WeightSpec(
                name=name, type=tensor("f32", size), init=init or default, fan_in=fan_in, fan_out=fan_out
            )
            for name, (size, init) in given.items()
            if name == "weight" or self.bias
        )

    def macs(self, x: TensorType) -> Dim:
        kernel, _, _ = self.geometry
        return self.infer(x).size * (known_channels(x, self.spec_name()) // self.groups * prod(kernel))

    def facts(self, x: TensorType) -> dict[str, Any]:
        channels = known_channels(x, self.spec_name())
        _, stride, dilation = self.geometry
        depthwise = self.groups > 1 and self.groups == channels
        return {
            "in_channels": channels,
            "spatial_rank": self.spatial,
            "depthwise": depthwise,
            "depth_multiplier": self.out_channels // channels if depthwise else None,
            "even_stride": len(set(stride)) == 1,
            "strided_and_dilated": max(stride) > 1 and max(dilation) > 1,
            **padding_facts(self.pads(x)),
        }


def correlate(view: Any, weight: Any, groups: int) -> Any:
    """Windows [N, C, *counts, *kernel] against a kernel [O, C / groups, *kernel]: [N, O, *counts]."""
    spatial = weight.ndim - 2
    axes = (1, *range(2 + spatial, 2 + 2 * spatial))
    parts = [
        np.tensordot(part, kernel, axes=(axes, tuple(range(1, weight.ndim))))
        for part, kernel in zip(np.split(view, groups, axis=1), np.split(weight, groups), strict=True)
    ]
    return np.moveaxis(np.concatenate(parts, axis=-1), -1, 1)


class _Correlation(_Conv):
    def padless(self, x: TensorType) -> tuple[dict[str, Any], Self]:
        """The arguments of a `pad` of x, and this operator without padding: together they are the same."""
        pad = {"padding": ((0, 0), (0, 0), *self.pads(x))}
        return pad, self.model_copy(update={"padding": ((0, 0),) * self.spatial})

    def reference(self, x: Any, weight: Any, bias: Any = None) -> Any:
        kernel, stride, dilation = self.geometry
        pads = self.pads(tensor("f32", x.shape))
        view = windows(x, kernel, stride, dilation, pads)
        y = correlate(view, weight, self.groups)
        return y if bias is None else y + bias.reshape(-1, *(1,) * self.spatial)


class Conv1d(_Correlation):
    """Convolution over a sequence: [N, C, T] to [N, out_channels, T'].

    As `Conv2d` on one axis. padding = "causal" pads only before, so that a result sees no later step.
    """

    spatial: ClassVar = 1
    layout: ClassVar = "[N, C, T]"
    examples: ClassVar = [
        ({"out_channels": 4, "kernel_size": 3}, ("f32[2, 3, 8]",)),
        ({"out_channels": 4, "kernel_size": 3, "padding": "causal", "dilation": 2}, ("f32[2, 3, 8]",)),
        ({"out_channels": 4, "kernel_size": 2, "stride": 3, "padding": "same"}, ("f32[2, 3, 8]",)),
        ({"out_channels": 6, "kernel_size": 4, "groups": 3, "padding": [[2, 1]]}, ("f32[2, 3, 5]",)),
    ]


class Conv2d(_Correlation):
    """Convolution over images: [N, C, H, W] to [N, out_channels, H', W'] (LeCun et al. 1989).

    y[n, o, i, j] = b[o] + sum over c, p, q of W[o, c, p, q] * x[n, c, i s + p d - lo, j s + q d - lo], where
    s is the stride, d the dilation and lo the padding before; H' = (H + lo + hi - d (k - 1) - 1) // s + 1.
    W is [out_channels, C / groups, *kernel_size]; with groups, each group of results sees its own channels.

    padding is an integer, a list with one for each axis, a list of [before, after] pairs, "valid" (none) or
    "same" (H' = ceil(H / s); of an odd total the larger half comes after).
    Drawn as PyTorch draws it: weight and bias uniform within 1 / sqrt(fan_in).
    """

    spatial: ClassVar = 2
    layout: ClassVar = "[N, C, H, W]"
    examples: ClassVar = [
        ({"out_channels": 4, "kernel_size": 3}, ("f32[2, 3, 6, 5]",)),
        ({"out_channels": 4, "kernel_size": 3, "padding": "same", "bias": False}, ("f32[2, 3, 6, 5]",)),
        ({"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": "same"}, ("f32[2, 3, 6, 5]",)),
        ({"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1}, ("f32[2, 3, 7, 7]",)),
        (
            {"out_channels": 4, "kernel_size": [2, 4], "stride": [1, 2], "padding": [1, 2]},
            ("f32[2, 3, 6, 5]",),
        ),
        ({"out_channels": 4, "kernel_size": 2, "padding": [[1, 0], [0, 2]]}, ("f32[2, 3, 6, 5]",)),
        ({"out_channels": 4, "kernel_size": 3, "dilation": 2, "padding": 2}, ("f32[2, 3, 6, 5]",)),
        (
            {"out_channels": 4, "kernel_size": 3, "dilation": 2, "stride": 2, "padding": 2},
            ("f32[2, 3, 7, 6]",),
        ),
        ({"out_channels": 6, "kernel_size": 3, "groups": 2, "padding": 1}, ("f32[2, 4, 5, 5]",)),
        ({"out_channels": 6, "kernel_size": 3, "groups": 3, "stride": [2, 1]}, ("f32[2, 3, 5, 5]",)),
        (
            {"out_channels": 3, "kernel_size": 3, "groups": 3, "dilation": 2, "padding": 2},
            ("f32[2, 3, 6, 5]",),
        ),
        ({"out_channels": 4, "kernel_size": 1, "stride": 2}, ("f32[2, 3, 6, 5]",)),
    ]


class Conv3d(_Correlation):
    """Convolution over volumes or video: [N, C, D, H, W] to [N, out_channels, D', H', W'], as `Conv2d`."""

    spatial: ClassVar = 3
    layout: ClassVar = "[N, C, D, H, W]"
    examples: ClassVar = [
        ({"out_channels": 2, "kernel_size": 2}, ("f32[2, 2, 3, 4, 3]",)),
        (
            {"out_channels": 2, "kernel_size": [1, 3, 2], "stride": 2, "padding": "same"},
            ("f32[2, 2, 3, 4, 3]",),
        ),
        ({"out_channels": 4, "kernel_size": 3, "groups": 2, "padding": 1}, ("f32[1, 2, 3, 4, 3]",)),
    ]

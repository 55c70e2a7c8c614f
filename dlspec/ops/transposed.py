"""Transposed convolutions."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar, Self

from dlspec.ir.dims import Dim
from dlspec.ir.op import OpError, WeightSpec
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops._windows import Amounts, Pairs, extents, known_channels, per_axis, resolve_padding, windows
from dlspec.ops.convolution import _Conv, correlate


class _ConvTranspose(_Conv):
    output_padding: Amounts = 0

    def pads(self, x: TensorType) -> Pairs:
        """What is cut off the full result, for each axis."""
        name = self.spec_name()
        if self.padding in ("same", "causal"):
            raise OpError(
                f'padding = "{self.padding}" has no meaning for `{name}`',
                argument="padding",
                label="not for transposed convolution",
                hint="write a number; padding = 1 with kernel_size = 4, stride = 2 doubles a size",
                code="DLS0309",
            )
        kernel, _, dilation = self.geometry
        return resolve_padding(
            self.padding, x.shape[2:], extents(kernel, dilation), (1,) * self.spatial, name
        )

    @property
    def extra(self) -> tuple[int, ...]:
        """The output padding for each axis."""
        return per_axis(self.output_padding, self.spatial, self.spec_name(), "output_padding")

    def resolve(self, x: TensorType) -> Self:
        return super().resolve(x).model_copy(update={"output_padding": self.extra})

    def infer(self, x: TensorType) -> TensorType:
        self._check(x)
        kernel, stride, dilation = self.geometry
        lengths: list[Dim] = []
        for axis, (n, s, r, (lo, hi), extra) in enumerate(
            zip(x.shape[2:], stride, extents(kernel, dilation), self.pads(x), self.extra, strict=True)
        ):
            if extra >= max(s, dilation[axis]):
                raise OpError(
                    f"`{self.spec_name()}`'s output_padding of {extra} must be smaller than its stride "
                    "or dilation",
                    argument="output_padding",
                    label=f"must be less than {max(s, dilation[axis])}",
                    hint="output_padding chooses among the sizes that the stride leaves open",
                    code="DLS0309",
                )
            length = (n - 1) * s + r - lo - hi + extra
            if isinstance(length, int) and length < 1:
                raise OpError(
                    f"`{self.spec_name()}`'s padding leaves nothing of axis {axis + 2} of {x}",
                    operand=0,
                    argument="padding",
                    label="takes everything away",
                    hint="use less padding or a larger kernel",
                    code="DLS0308",
                )
            lengths.append(length)
        return x.with_shape((x.shape[0], self.out_channels, *lengths))

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        kernel, _, _ = self.geometry
        channels = known_channels(x, self.spec_name())
        outer = self.out_channels // self.groups
        # PyTorch counts the fan in on the second axis of the kernel, which here is the results' side.
        fan_in, fan_out = outer * prod(kernel), channels * prod(kernel)
        return self._drawn((channels, outer, *kernel), fan_in, fan_out)

    def macs(self, x: TensorType) -> Dim:
        kernel, _, _ = self.geometry
        return x.size * (self.out_channels // self.groups * prod(kernel))

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`crop` is what is cut off the full result before and after each axis; `extend` how many zeros are
        then added after it, on which there is only the bias. `only_cropped`: a kernel that leaves no gaps,
        without groups, dilation and extension, so that cutting the full result is all.
        """
        pairs = list(zip(self.pads(x), self.extra, strict=True))
        kernel, stride, dilation = self.geometry
        covers = all(k >= s for k, s in zip(kernel, stride, strict=True))
        extended = any(extra > hi for (_, hi), extra in pairs)
        return {
            **super().facts(x),
            "no_output_padding": not any(self.extra),
            "crop": tuple((lo, max(hi - extra, 0)) for (lo, hi), extra in pairs),
            "only_cropped": covers and not extended and self.groups == 1 and set(dilation) == {1},
            "extend": tuple(max(extra - hi, 0) for (_, hi), extra in pairs),
            "output_size": self.infer(x).shape[2:],
        }

    def reference(self, x: Any, weight: Any, bias: Any = None) -> Any:
        # Zeros between the elements, then an ordinary convolution with the mirrored kernel.
        kernel, stride, dilation = self.geometry
        lengths = ((n - 1) * s + 1 for n, s in zip(x.shape[2:], stride, strict=True))
        spread = np.zeros((*x.shape[:2], *lengths), dtype=x.dtype)
        spread[(..., *(slice(None, None, s) for s in stride))] = x
        reach = extents(kernel, dilation)
        around = tuple((r - 1, r - 1 + e) for r, e in zip(reach, self.extra, strict=True))
        mirrored = np.flip(weight, tuple(range(2, weight.ndim)))
        mirrored = np.concatenate([np.swapaxes(w, 0, 1) for w in np.split(mirrored, self.groups)])
        y = correlate(windows(spread, kernel, (1,) * self.spatial, dilation, around), mirrored, self.groups)
        pads = self.pads(tensor("f32", x.shape))
        y = y[(..., *(slice(lo, y.shape[axis] - hi) for axis, (lo, hi) in enumerate(pads, start=2)))]
        return y if bias is None else y + bias.reshape(-1, *(1,) * self.spatial)


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution of a sequence: [N, C, T] to [N, out_channels, T'], as `ConvTranspose2d`."""

    spatial: ClassVar = 1
    layout: ClassVar = "[N, C, T]"
    examples: ClassVar = [
        ({"out_channels": 4, "kernel_size": 3}, ("f32[2, 3, 5]",)),
        ({"out_channels": 4, "kernel_size": 4, "stride": 2, "padding": 1}, ("f32[2, 3, 5]",)),
    ]


class ConvTranspose2d(_ConvTranspose):
    """The gradient of `Conv2d` as a layer: [N, C, H, W] to [N, out_channels, H', W'] (Zeiler et al. 2010).

    Each element adds its multiple of the kernel to the result, s apart; then padding is cut off:
    H' = (H - 1) s - lo - hi + d (k - 1) + 1 + output_padding. W is [C, out_channels / groups, *kernel_size].
    padding is an integer, a list with one for each axis, or a list of [before, after] pairs.
    Drawn as PyTorch draws it: uniform within 1 / sqrt(out_channels / groups * kernel's size).
    """

    spatial: ClassVar = 2
    layout: ClassVar = "[N, C, H, W]"
    examples: ClassVar = [
        ({"out_channels": 4, "kernel_size": 2, "stride": 2}, ("f32[2, 3, 3, 4]",)),
        ({"out_channels": 4, "kernel_size": 4, "stride": 2, "padding": 1}, ("f32[2, 3, 3, 4]",)),
        (
            {"out_channels": 4, "kernel_size": 3, "stride": 2, "padding": 1, "output_padding": 1},
            ("f32[2, 3, 3, 4]",),
        ),
        ({"out_channels": 4, "kernel_size": 3, "groups": 2, "bias": False}, ("f32[2, 6, 3, 4]",)),
        ({"out_channels": 2, "kernel_size": 3, "dilation": 2, "padding": 1}, ("f32[2, 3, 3, 4]",)),
        (
            {"out_channels": 2, "kernel_size": [2, 3], "stride": [3, 1], "output_padding": [2, 0]},
            ("f32[1, 3, 3, 4]",),
        ),
        (
            {"out_channels": 2, "kernel_size": 3, "stride": 2, "dilation": 2, "padding": 2},
            ("f32[1, 3, 3, 4]",),
        ),
        (
            {"out_channels": 2, "kernel_size": 1, "stride": 2, "padding": [[1, 0], [0, 2]]},
            ("f32[1, 3, 3, 4]",),
        ),
    ]


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution of a volume: [N, C, D, H, W] to [N, out_channels, D', H', W']."""

    spatial: ClassVar = 3
    layout: ClassVar = "[N, C, D, H, W]"
    examples: ClassVar = [
        ({"out_channels": 2, "kernel_size": 2, "stride": 2}, ("f32[1, 3, 2, 3, 2]",)),
        ({"out_channels": 2, "kernel_size": 3, "padding": 1, "groups": 2}, ("f32[1, 2, 2, 3, 2]",)),
    ]

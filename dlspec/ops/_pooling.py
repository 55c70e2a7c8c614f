"""Where pooling puts its windows."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from dlspec.ir.dims import Dim
from dlspec.ir.op import OpError
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._windows import (
    Padding,
    Pairs,
    Sizes,
    _Windowed,
    extents,
    padding_facts,
    per_axis,
    resolve_padding,
    window_count,
    windows,
)
from dlspec.ops.dtypes import require_float, require_rank

LAYOUTS = {1: "[N, C, T]", 2: "[N, C, H, W]", 3: "[N, C, D, H, W]"}


class _Pool(_Windowed):
    """What both kinds share. Resolved, `padding` is what the user asked for as pairs; the fact `extent` adds
    to it what `ceil_mode` needs, and `ceil_mode` is kept only where it makes a difference.
    """

    stateful: ClassVar = True
    spatial: ClassVar[int]
    fill: ClassVar[float] = 0.0

    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Padding = 0
    ceil_mode: bool = False

    def _dilation(self) -> tuple[int, ...]:
        return (1,) * self.spatial

    @property
    def geometry(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Kernel size, stride and dilation for each axis."""
        name = self.spec_name()
        kernel = per_axis(self.kernel_size, self.spatial, name, "kernel_size")
        stride = kernel if self.stride is None else per_axis(self.stride, self.spatial, name, "stride")
        return kernel, stride, self._dilation()

    def pads(self, x: TensorType) -> Pairs:
        """The padding that was asked for, for each axis."""
        kernel, stride, dilation = self.geometry
        return resolve_padding(self.padding, x.shape[2:], extents(kernel, dilation), stride, self.spec_name())

    def extent(self, x: TensorType) -> Pairs:
        """The padding with which whole windows give this result, that is without `ceil_mode`."""
        kernel, stride, dilation = self.geometry
        pads = self.pads(x)
        if not self.ceil_mode:
            return pads
        reach = extents(kernel, dilation)
        return tuple(
            (lo, hi + self._beyond(axis, n, (lo, hi), r, s))
            for axis, (n, (lo, hi), r, s) in enumerate(zip(x.shape[2:], pads, reach, stride, strict=True))
        )

    def _beyond(self, axis: int, length: Dim, pads: tuple[int, int], reach: int, stride: int) -> int:
        """How far the last window of ceil mode reaches over the padding after.

        PyTorch's rule: the last window must start inside the input or the padding before it.
        """
        lo, hi = pads
        if stride == 1:
            return 0
        if isinstance(length, int):
            last = -(-(length + lo + hi - reach) // stride) * stride
            if last >= length + lo:
                last -= stride
            return max(last + reach - (length + lo + hi), 0)
        if stride <= reach - hi:  # then no window can start beyond the input, whatever the length
            return stride - 1
        raise OpError(
            f"`{self.spec_name()}` with ceil_mode needs a known size on axis {axis + 2}, "
            f"but here it is `{length}`",
            operand=0,
            argument="ceil_mode",
            label=f"`{length}` is known only when the model runs",
            hint=f"leave ceil_mode out, or give `{length}` a size where the input is declared",
            code="DLS0305",
        )

    def resolve(self, x: TensorType) -> Self:
        self._check(x)
        kernel, stride, dilation = self.geometry
        pads = self.pads(x)
        update: dict[str, Any] = {"kernel_size": kernel, "stride": stride, "padding": pads}
        if "dilation" in type(self).model_fields:
            update["dilation"] = dilation
        update["ceil_mode"] = self.extent(x) != pads
        return self.model_copy(update=update)

    def infer(self, x: TensorType) -> TensorType:
        self._check(x)
        kernel, stride, dilation = self.geometry
        reach = extents(kernel, dilation)
        extent = self.extent(x)
        counts = [
            window_count(n, p, r, s) for n, p, r, s in zip(x.shape[2:], extent, reach, stride, strict=True)
        ]
        return x.with_shape((*x.shape[:2], *counts))

    def _check(self, x: TensorType) -> None:
        name = f"`{self.spec_name()}`"
        require_float(x, name)
        require_rank(x, (self.spatial + 2,), name, LAYOUTS[self.spatial])
        kernel, _, dilation = self.geometry
        for axis, (length, pads, reach) in enumerate(
            zip(x.shape[2:], self.pads(x), extents(kernel, dilation), strict=True), start=2
        ):
            if max(pads) >= reach:
                raise OpError(
                    f"{name} pads axis {axis} by {max(pads)}: a window of {reach} would see only padding",
                    argument="padding",
                    label=f"must be less than {reach}",
                    hint="pad by less than the window",
                    code="DLS0309",
                )
            if isinstance(length, int) and length + sum(pads) < reach:
                raise OpError(
                    f"{name}'s window of {reach} is larger than axis {axis} of {x}"
                    + (f", which has {length + sum(pads)} with its padding" if any(pads) else ""),
                    operand=0,
                    argument="kernel_size",
                    label=f"larger than axis {axis}",
                    hint="use a smaller window, or shrink the tensor less before this layer",
                    code="DLS0308",
                )

    def facts(self, x: TensorType) -> dict[str, Any]:
        kernel, _, dilation = self.geometry
        pads, extent = self.pads(x), self.extent(x)
        symmetric = padding_facts(pads)
        return {
            "channels": x.shape[1],
            "spatial_rank": self.spatial,
            "extent": extent,
            "no_extent": not any(lo or hi for lo, hi in extent),
            "dilated": max(dilation) > 1,
            # what torch's own layer accepts: the same padding on both sides, at most half the window
            "torch_native": symmetric["padding_symmetric"]
            and all(2 * lo <= r for (lo, _), r in zip(pads, extents(kernel, dilation), strict=True)),
            **symmetric,
        }

    def padless(self, x: TensorType) -> tuple[dict[str, Any], Self]:
        """The arguments of a `pad` of x, and this operator without padding: together they are the same
        (but for averages with a divisor that is not uniform).
        """
        plain = {"padding": ((0, 0),) * self.spatial, "ceil_mode": False}
        return {"padding": ((0, 0), (0, 0), *self.extent(x)), "value": self.fill}, self.model_copy(
            update=plain
        )

    def _windows(self, x: Any) -> Any:
        kernel, stride, dilation = self.geometry
        return windows(x, kernel, stride, dilation, self.extent(tensor("f32", x.shape)), self.fill)

"""Images and sequences in another size."""

from __future__ import annotations

from math import floor
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, PositiveInt
from pydantic_core import PydanticCustomError

from dlspec.ir.dims import Dim, exact_quotient
from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import known
from dlspec.ops._matrices import applied, apply_nodes, cubic, linear, nearest_indices
from dlspec.ops._windows import Sizes, collapse, per_axis
from dlspec.ops.dtypes import require_float

RANKS = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}
NAMES = {1: '"linear"', 2: '"bilinear" or "bicubic"', 3: '"trilinear"'}


def _factors(value: Any) -> Any:
    items = value if isinstance(value, (list, tuple)) and value else [value]
    if all(isinstance(n, (int, float)) and not isinstance(n, bool) and 0 < n < 1e6 for n in items):
        return value
    raise PydanticCustomError("factors", "expected a positive number, or a list with one for each axis")


Factors = Annotated[float | tuple[float, ...], BeforeValidator(_factors)]


class Resize(Op):
    """The axes after [N, C] in another size, given as `size` or as a factor `scale` (rounded down).

    mode "nearest": result i takes element floor(i n / m), where n is the old size and m the new;
    "linear", "bilinear", "trilinear" (by number of axes): between the nearest elements, whose centres lie at
    half-integers (PyTorch's align_corners = false), without smoothing when the result is smaller;
    "bicubic": over four elements a side, a = -0.75 (Keys 1981).
    """

    examples: ClassVar = [
        ({"scale": 2}, ("f32[2, 3, 4, 3]",)),
        ({"scale": [3, 2]}, ("f32[1, 2, 2, 3]",)),
        ({"scale": 2}, ("f32[2, 3, 4]",)),
        ({"size": [7, 5]}, ("f32[1, 2, 4, 8]",)),
        ({"scale": 2, "mode": "bilinear"}, ("f32[2, 3, 4, 3]",)),
        ({"size": [7, 2], "mode": "bilinear"}, ("f32[1, 2, 4, 5]",)),
        ({"size": 5, "mode": "linear"}, ("f32[2, 3, 4]",)),
        ({"scale": 2, "mode": "trilinear"}, ("f32[1, 2, 2, 3, 2]",)),
        ({"size": [3, 4, 2], "mode": "trilinear"}, ("f32[1, 2, 2, 3, 4]",)),
        ({"scale": 1.5, "mode": "bicubic"}, ("f32[1, 2, 4, 5]",)),
    ]

    size: Sizes | None = None
    scale: Factors | None = None
    mode: Literal["nearest", "linear", "bilinear", "trilinear", "bicubic"] = "nearest"

    def resolve(self, x: TensorType) -> Op:
        """With whole factors `scale` is given, otherwise `size`; each for every axis."""
        lengths = self.lengths(x)
        factors = self._factors(x)
        if factors is None:
            return self.model_copy(update={"size": lengths, "scale": None})
        return self.model_copy(update={"size": None, "scale": factors})

    def lengths(self, x: TensorType) -> tuple[Dim, ...]:
        """The new sizes; raises `OpError` on unfit operands and arguments."""
        require_float(x, "`resize`")
        rank = x.rank - 2
        if rank < 1:
            raise OpError(
                f"`resize` expects [N, C, ...] with axes to resize, but got {x}",
                operand=0,
                label="needs at least 3 axes",
                code="DLS0302",
            )
        if RANKS.get(self.mode, rank) != rank:
            raise OpError(
                f'`resize` with mode "{self.mode}" is for {RANKS[self.mode]} axes after [N, C], but got {x}',
                operand=0,
                argument="mode",
                label=f"not for {rank} {'axis' if rank == 1 else 'axes'}",
                hint=f"use mode = {NAMES[rank]}" if rank in NAMES else 'use mode = "nearest"',
                code="DLS0302",
            )
        if self.size is None and self.scale is None:
            raise OpError(
                "`resize` needs its argument `size` or `scale`", label="not given here", code="DLS0206"
            )
        if self.size is not None and self.scale is not None:
            raise OpError(
                "`resize` takes `size` or `scale`, not both",
                argument="scale",
                label="beside `size`",
                code="DLS0309",
            )
        if self.size is not None:
            return per_axis(self.size, rank, "resize", "size")
        factors = self.scale if isinstance(self.scale, tuple) else (self.scale,) * rank
        if len(factors) != rank:
            raise OpError(
                f"`resize` works on {rank} axes of {x}, but scale has {len(factors)} numbers",
                argument="scale",
                label=f"{rank} numbers are needed",
                code="DLS0309",
            )
        return tuple(
            _scaled(n, factor, axis)  # type: ignore[arg-type]
            for axis, (n, factor) in enumerate(zip(x.shape[2:], factors, strict=True), start=2)
        )

    def _factors(self, x: TensorType) -> tuple[int, ...] | None:
        """How often each new size contains the old one; None unless all are whole."""
        factors = [new // old for old, new in zip(x.shape[2:], self.lengths(x), strict=True)]
        whole = all(
            isinstance(f, int) and f > 0 and f * n == new
            for f, n, new in zip(factors, x.shape[2:], self.lengths(x), strict=True)
        )
        return tuple(factors) if whole else None  # type: ignore[arg-type]

    def infer(self, x: TensorType) -> TensorType:
        lengths = self.lengths(x)
        if self._factors(x) is None:
            for axis, length in enumerate(x.shape[2:], start=2):
                known(length, f"`resize` to another than a whole multiple needs axis {axis}, which")
        return x.with_shape((*x.shape[:2], *lengths))

    def facts(self, x: TensorType) -> dict[str, Any]:
        factors = self._factors(x)
        return {
            "integer_factor": factors is not None,
            "factors": factors,
            "output_size": self.lengths(x),
            "spatial_rank": x.rank - 2,
            "isotropic": factors is not None and not isinstance(collapse(factors), tuple),
        }

    def reference(self, x: Any) -> Any:
        lengths = self.lengths(tensor("f32", x.shape))
        for axis, new in enumerate(lengths, start=2):
            old, count = x.shape[axis], int(new)  # type: ignore[arg-type]
            if self.mode == "nearest":
                x = x.take(nearest_indices(old, count), axis)
            elif old != count:
                x = applied(x, self._matrix(old, count), axis)
        return x

    def _matrix(self, old: int, new: int) -> list[list[float]]:
        return cubic(old, new) if self.mode == "bicubic" else linear(old, new)

    def decompose(self, b: Any, x: Any) -> Any:
        lengths, factors = self.lengths(x.type), self._factors(x.type)
        repeats = factors is not None and self.mode == "nearest"
        if not repeats and not all(isinstance(n, int) for n in x.type.shape[2:]):
            return NotImplemented
        changed = False
        for axis, (old, new) in enumerate(zip(x.type.shape[2:], lengths, strict=True), start=2):
            if old == new:
                continue
            changed = True
            if self.mode != "nearest":
                x = apply_nodes(b, x, self._matrix(old, int(new)), axis)  # type: ignore[arg-type]
            elif factors is not None:
                x = b.repeat_interleave(x, repeats=factors[axis - 2], axis=axis)
            else:
                indices = b.constant(nearest_indices(old, int(new)), dtype="i64")  # type: ignore[arg-type]
                x = b.take(x, indices, axis=axis)
        return x if changed else b.reshape(x, shape=x.type.shape)


def _scaled(length: Dim, factor: float, axis: int) -> Dim:
    if float(factor).is_integer():
        return length * int(factor)
    size = floor(known(length, f"`resize` by {factor:g} needs axis {axis}, which") * factor)
    if size < 1:
        raise OpError(
            f"`resize` by {factor:g} leaves nothing of axis {axis}, which has {length}",
            argument="scale",
            label="leaves nothing",
            code="DLS0308",
        )
    return size


class PixelShuffle(Op):
    """Channels become positions: [N, C r^2, H, W] to [N, C, H r, W r], r = upscale_factor (Shi et al. 2016).

    y[n, c, h r + i, w r + j] = x[n, c r^2 + i r + j, h, w].
    """

    examples: ClassVar = [
        ({"upscale_factor": 2}, ("f32[2, 8, 2, 3]",)),
        ({"upscale_factor": 3}, ("f32[1, 9, 2, 1]",)),
    ]

    upscale_factor: PositiveInt

    def infer(self, x: TensorType) -> TensorType:
        batch, channels, height, width = _image(x, "pixel_shuffle")
        r = self.upscale_factor
        if known(channels, "the number of channels for `pixel_shuffle`") % r**2:
            raise OpError(
                f"`pixel_shuffle` by {r} needs a multiple of {r**2} channels, but got {x}",
                operand=0,
                argument="upscale_factor",
                label=f"{channels} is no multiple of {r**2}",
                code="DLS0306",
            )
        return x.with_shape((batch, exact_quotient(channels, r**2), height * r, width * r))

    def _split(self, shape: Any) -> Any:
        (batch, channels, height, width), r = shape, self.upscale_factor
        return (batch, exact_quotient(channels, r**2), r, r, height, width)

    def reference(self, x: Any) -> Any:
        (n, c, h, w), r = x.shape, self.upscale_factor
        return x.reshape(self._split(x.shape)).transpose(0, 1, 4, 2, 5, 3).reshape(n, c // r**2, h * r, w * r)

    def decompose(self, b: Any, x: Any) -> Any:
        split = b.transpose(b.reshape(x, shape=self._split(x.type.shape)), axes=(0, 1, 4, 2, 5, 3))
        return b.reshape(split, shape=self.infer(x.type).shape)


class PixelUnshuffle(Op):
    """Positions become channels, the inverse of `pixel_shuffle`: [N, C, H r, W r] to [N, C r^2, H, W]."""

    examples: ClassVar = [
        ({"downscale_factor": 2}, ("f32[2, 2, 4, 6]",)),
        ({"downscale_factor": 3}, ("f32[1, 1, 3, 6]",)),
    ]

    downscale_factor: PositiveInt

    def infer(self, x: TensorType) -> TensorType:
        batch, channels, height, width = _image(x, "pixel_unshuffle")
        r = self.downscale_factor
        for axis, length in ((2, height), (3, width)):
            if length % r != 0:
                raise OpError(
                    f"`pixel_unshuffle` by {r} needs a multiple of {r} on axis {axis}, but got {x}",
                    operand=0,
                    argument="downscale_factor",
                    label=f"{length} is no multiple of {r}",
                    code="DLS0306",
                )
        return x.with_shape((batch, channels * r**2, exact_quotient(height, r), exact_quotient(width, r)))

    def _split(self, shape: Any) -> Any:
        (batch, channels, height, width), r = shape, self.downscale_factor
        return (batch, channels, exact_quotient(height, r), r, exact_quotient(width, r), r)

    def reference(self, x: Any) -> Any:
        (n, c, h, w), r = x.shape, self.downscale_factor
        return (
            x.reshape(self._split(x.shape)).transpose(0, 1, 3, 5, 2, 4).reshape(n, c * r**2, h // r, w // r)
        )

    def decompose(self, b: Any, x: Any) -> Any:
        split = b.transpose(b.reshape(x, shape=self._split(x.type.shape)), axes=(0, 1, 3, 5, 2, 4))
        return b.reshape(split, shape=self.infer(x.type).shape)


def _image(x: TensorType, what: str) -> tuple[Dim, Dim, Dim, Dim]:
    if x.rank != 4:
        raise OpError(
            f"`{what}` expects 4 axes [N, C, H, W], but got {x}",
            operand=0,
            label=f"needs 4 axes, not {x.rank}",
            code="DLS0302",
        )
    return x.shape[0], x.shape[1], x.shape[2], x.shape[3]

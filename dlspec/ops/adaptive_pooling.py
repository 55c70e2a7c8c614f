"""Pooling to a size that is given: adaptive and global."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType
from dlspec.ops._axes import known
from dlspec.ops._matrices import adaptive_spans, apply_nodes, averaging
from dlspec.ops._numpy import np
from dlspec.ops._pooling import LAYOUTS
from dlspec.ops._windows import Sizes, _Windowed, per_axis
from dlspec.ops.dtypes import require_float, require_rank


class _AdaptivePool(_Windowed):
    stateful: ClassVar = True
    spatial: ClassVar[int]
    window: ClassVar[str]  # the operator over windows of equal size
    reduction: ClassVar[str]

    output_size: Sizes

    @property
    def sizes(self) -> tuple[int, ...]:
        """The result's size on each axis."""
        return per_axis(self.output_size, self.spatial, self.spec_name(), "output_size")

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"output_size": self.sizes})

    def infer(self, x: TensorType) -> TensorType:
        name = f"`{self.spec_name()}`"
        require_float(x, name)
        require_rank(x, (self.spatial + 2,), name, LAYOUTS[self.spatial])
        for axis, (length, size) in enumerate(zip(x.shape[2:], self.sizes, strict=True), start=2):
            if size > 1:
                known(length, f"{name} to {size} needs axis {axis}, which")
        return x.with_shape((*x.shape[:2], *self.sizes))

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`even`: every window has the size `window_size`; `to_one`: the window is everything."""
        even = self._even(x)
        return {
            "to_one": self._to_one,
            "even": even is not None,
            "window_size": even,
            "spatial_rank": self.spatial,
        }

    @property
    def _to_one(self) -> bool:
        return set(self.sizes) == {1}

    def _even(self, x: TensorType) -> tuple[int, ...] | None:
        pairs = list(zip(x.shape[2:], self.sizes, strict=True))
        if all(isinstance(n, int) and n % size == 0 for n, size in pairs):
            return tuple(n // size for n, size in pairs)  # type: ignore[misc]
        return None

    def reference(self, x: Any) -> Any:
        for axis, size in enumerate(self.sizes, start=2):
            parts = [
                getattr(np, self.reduction)(x.take(range(*span), axis), axis=axis, keepdims=True)
                for span in adaptive_spans(x.shape[axis], size)
            ]
            x = np.concatenate(parts, axis=axis)
        return x

    def decompose(self, b: Any, x: Any) -> Any:
        axes = tuple(range(2, 2 + self.spatial))
        if self._to_one:
            return getattr(b, self.reduction)(x, axis=axes, keepdims=True)
        even = self._even(x.type)
        if even is not None:
            return getattr(b, self.window)(even)(x)
        for axis, size in enumerate(self.sizes, start=2):
            x = self._along(b, x, axis, size)
        return x

    def _along(self, b: Any, x: Any, axis: int, size: int) -> Any:
        raise NotImplementedError


class _AdaptiveAvgPool(_AdaptivePool):
    reduction: ClassVar = "mean"

    def _along(self, b: Any, x: Any, axis: int, size: int) -> Any:
        return apply_nodes(b, x, averaging(x.type.shape[axis], size), axis)


class _AdaptiveMaxPool(_AdaptivePool):
    reduction: ClassVar = "max"

    def _along(self, b: Any, x: Any, axis: int, size: int) -> Any:
        before = ((None, None, None),) * axis
        parts = [
            b.max(b.slice(x, index=(*before, (*span, None))), axis=axis, keepdims=True)
            for span in adaptive_spans(x.type.shape[axis], size)
        ]
        return b.concat(*parts, axis=axis)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of each of output_size windows that cover a sequence: [N, C, T] to [N, C, output_size].

    Window i reaches from floor(i T / output_size) up to ceil((i + 1) T / output_size).
    """

    spatial: ClassVar = 1
    window: ClassVar = "AvgPool1d"
    examples: ClassVar = [
        ({"output_size": 3}, ("f32[2, 3, 7]",)),
        ({"output_size": 2}, ("f32[2, 3, 6]",)),
        ({"output_size": 1}, ("f32[2, 3, 5]",)),
    ]


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of windows that cover an image: [N, C, H, W] to [N, C, *output_size].

    The windows lie on each axis as in `AdaptiveAvgPool1d`.
    """

    spatial: ClassVar = 2
    window: ClassVar = "AvgPool2d"
    examples: ClassVar = [
        ({"output_size": [2, 3]}, ("f32[2, 3, 5, 7]",)),
        ({"output_size": 2}, ("f32[2, 3, 6, 4]",)),
        ({"output_size": 1}, ("f32[2, 3, 5, 4]",)),
        ({"output_size": [1, 7]}, ("f32[2, 3, 4, 5]",)),
    ]


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest of each of output_size windows that cover a sequence, placed as in `AdaptiveAvgPool1d`."""

    spatial: ClassVar = 1
    window: ClassVar = "MaxPool1d"
    examples: ClassVar = AdaptiveAvgPool1d.examples


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest of windows that cover an image, placed as in `AdaptiveAvgPool1d`."""

    spatial: ClassVar = 2
    window: ClassVar = "MaxPool2d"
    examples: ClassVar = AdaptiveAvgPool2d.examples


class _GlobalPool(Op):
    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({}, ("f32[2, 3, 4, 5]",)), ({}, ("f32[2, 3, 2, 3, 2]",))]
    reduction: ClassVar[str]

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, f"`{self.spec_name()}`")
        if x.rank < 3:
            raise OpError(
                f"`{self.spec_name()}` expects [N, C, ...] with axes to pool over, but got {x}",
                operand=0,
                label="needs at least 3 axes",
                code="DLS0302",
            )
        return x.with_shape(x.shape[:2])

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"axes": tuple(range(2, x.rank)), "spatial_rank": x.rank - 2}

    def reference(self, x: Any) -> Any:
        return getattr(np, self.reduction)(x, axis=tuple(range(2, x.ndim)))

    def decompose(self, b: Any, x: Any) -> Any:
        return getattr(b, self.reduction)(x, axis=tuple(range(2, x.type.rank)))


class GlobalAvgPool(_GlobalPool):
    """The mean of each channel over all positions: [N, C, ...] to [N, C] (Lin et al. 2013)."""

    reduction: ClassVar = "mean"


class GlobalMaxPool(_GlobalPool):
    """The largest of each channel over all positions: [N, C, ...] to [N, C]."""

    reduction: ClassVar = "max"

"""Normalisation over the last axes."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PositiveFloat, PositiveInt

from dlspec.ir.op import Op, OpError, WeightSpec
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float
from dlspec.ops.normalization import ONES, ZEROS, normalise, normalised


def _trailing(x: TensorType, count: int, what: str) -> tuple[int, ...]:
    """The sizes of the last `count` axes; raises `OpError` unless they are known."""
    require_float(x, f"`{what}`")
    if x.rank < count:
        axes = "axis" if count == 1 else "axes"
        raise OpError(
            f"`{what}` normalises the last {count} {axes}, but got {x}",
            operand=0,
            argument="axes",
            label=f"needs at least {count} {axes}",
            code="DLS0302",
        )
    sizes = []
    for axis, size in enumerate(x.shape[x.rank - count :], start=-count):
        if not isinstance(size, int):
            raise OpError(
                f"`{what}` expects axis {axis} to have a known size, but here it is `{size}`",
                operand=0,
                label=f"needs a fixed size on axis {axis}",
                hint=f"give `{size}` a size where the input is declared",
                code="DLS0305",
            )
        sizes.append(size)
    return tuple(sizes)


class LayerNorm(Op):
    """y = weight * (x - mean) / sqrt(var + eps) + bias over the last axes (Ba et al. 2016).

    `axes` is how many of the last axes are normalised together; the weights have their shape; var is biased.
    """

    stateful: ClassVar = True
    examples: ClassVar = [
        ({}, ("f32[2, 3, 5]",)),
        ({"axes": 2, "eps": 1e-3}, ("f32[2, 3, 5]",)),
        ({"bias": False}, ("f32[4, 5]",)),
        ({"affine": False}, ("f32[4, 5]",)),
        ({"axes": 3}, ("f32[2, 3, 4, 5]",)),
    ]

    axes: PositiveInt = 1
    eps: PositiveFloat = 1e-5
    affine: bool = True
    bias: bool = True

    @property
    def trailing(self) -> tuple[int, ...]:
        """The axes that are normalised: (-1,), (-2, -1), ..."""
        return tuple(range(-self.axes, 0))

    def infer(self, x: TensorType) -> TensorType:
        _trailing(x, self.axes, "LayerNorm")
        return x

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        if not self.affine:
            return ()
        shape = tensor("f32", _trailing(x, self.axes, "LayerNorm"))
        weight = WeightSpec(name="weight", type=shape, init=ONES)
        return (weight, WeightSpec(name="bias", type=shape, init=ZEROS)) if self.bias else (weight,)

    def facts(self, x: TensorType) -> dict[str, Any]:
        shape = _trailing(x, self.axes, "LayerNorm")
        return {"normalized_shape": shape, "normalized_axes": self.trailing, "rank": x.rank}

    def reference(self, x: Any, weight: Any = None, bias: Any = None) -> Any:
        y = normalise(x, self.trailing, self.eps)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias

    def decompose(self, b: Any, x: Any, weight: Any = None, bias: Any = None) -> Any:
        y = normalised(b, x, self.trailing, self.eps)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias


class RMSNorm(Op):
    """y = weight * x / sqrt(mean(x^2) + eps) over the last axis (Zhang and Sennrich 2019)."""

    stateful: ClassVar = True
    examples: ClassVar = [
        ({}, ("f32[2, 3, 5]",)),
        ({"eps": 1e-3, "affine": False}, ("f32[4, 5]",)),
    ]

    eps: PositiveFloat = 1e-6
    affine: bool = True

    def infer(self, x: TensorType) -> TensorType:
        _trailing(x, 1, "RMSNorm")
        return x

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        shape = tensor("f32", _trailing(x, 1, "RMSNorm"))
        return (WeightSpec(name="weight", type=shape, init=ONES),) if self.affine else ()

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"normalized_shape": _trailing(x, 1, "RMSNorm"), "normalized_axes": (-1,), "rank": x.rank}

    def reference(self, x: Any, weight: Any = None) -> Any:
        y = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.eps)
        return y if weight is None else y * weight

    def decompose(self, b: Any, x: Any, weight: Any = None) -> Any:
        y = x / b.sqrt(b.mean(x * x, axis=(-1,), keepdims=True) + self.eps)
        return y if weight is None else y * weight

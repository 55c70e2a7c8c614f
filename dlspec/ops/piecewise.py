"""Activation functions made of straight pieces. Their gradients at the kinks are PyTorch's."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.op import Init, Op, OpError, WeightSpec
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import known
from dlspec.ops._numpy import np
from dlspec.ops.activations import _Activation
from dlspec.ops.dtypes import require_float


class Relu(_Activation):
    """max(x, 0); the gradient at 0 is 0."""

    def reference(self, x: Any) -> Any:
        return np.maximum(x, 0)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.where(b.less_equal(x, 0.0), b.constant(0.0, like=x), x)


class Relu6(_Activation):
    """min(max(x, 0), 6); the gradient at 0 and at 6 is 0."""

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({}, ("f32[5] > 5",))]

    def reference(self, x: Any) -> Any:
        return np.clip(x, 0, 6)

    def decompose(self, b: Any, x: Any) -> Any:
        return _clamp(b, x, 0.0, 6.0)


class LeakyRelu(_Activation):
    """x if x > 0 else negative_slope * x (Maas et al. 2013)."""

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({"negative_slope": 0.3}, ("f32[2, 3]",))]

    negative_slope: float = 0.01

    def reference(self, x: Any) -> Any:
        return np.where(x > 0, x, x * self.negative_slope)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.where(b.greater(x, 0.0), x, x * self.negative_slope)


class HardSigmoid(_Activation):
    """relu6(x + 3) / 6 (Howard et al. 2019)."""

    def reference(self, x: Any) -> Any:
        return np.clip(x + 3, 0, 6) / 6

    def decompose(self, b: Any, x: Any) -> Any:
        return b.relu6(x + 3.0) / 6.0


class HardSwish(_Activation):
    """x * relu6(x + 3) / 6 (Howard et al. 2019)."""

    def reference(self, x: Any) -> Any:
        return x * np.clip(x + 3, 0, 6) / 6

    def decompose(self, b: Any, x: Any) -> Any:
        return x * b.relu6(x + 3.0) / 6.0


class HardTanh(_Activation):
    """x limited to [min, max]; the gradient on the limits is 0."""

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({"min": -0.2, "max": 0.3}, ("f32[2, 3]",))]

    min: float = -1.0
    max: float = 1.0

    def reference(self, x: Any) -> Any:
        return np.clip(x, self.min, self.max)

    def decompose(self, b: Any, x: Any) -> Any:
        return _clamp(b, x, self.min, self.max)


class PReLU(Op):
    """x if x > 0 else weight * x, the slope learned: one, or one a channel (axis 1) (He et al. 2015)."""

    stateful: ClassVar = True
    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]",)),
        ({"num_parameters": 3}, ("f32[2, 3, 4]",)),
        ({"num_parameters": 5, "init": 0.1}, ("f32[2, 5]",)),
    ]

    num_parameters: int = 1
    init: float = 0.25

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, "`PReLU`")
        if self.num_parameters != 1:
            channels = known(x.shape[1], "the number of channels of `PReLU`") if x.rank > 1 else None
            if channels != self.num_parameters:
                raise OpError(
                    f"`PReLU` has {self.num_parameters} slopes, but {x} has {channels or 'no'} channels",
                    operand=0,
                    argument="num_parameters",
                    label=f"{channels or 'no'} channels",
                    hint="use `num_parameters = 1`, or the number of channels (axis 1)",
                    code="DLS0309",
                )
        return x

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        init = Init(kind="constant", args=(self.init,))
        return (WeightSpec(name="weight", type=tensor("f32", (self.num_parameters,)), init=init),)

    def reference(self, x: Any, weight: Any) -> Any:
        return np.where(x > 0, x, x * weight.reshape(self._slope_shape(np.ndim(x))))

    def decompose(self, b: Any, x: Any, weight: Any) -> Any:
        slope = b.reshape(weight, shape=self._slope_shape(x.type.rank))
        return b.where(b.greater(x, 0.0), x, x * slope)

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"rank": x.rank, "slope_shape": self._slope_shape(x.rank)}

    def _slope_shape(self, rank: int) -> tuple[int, ...]:
        return (self.num_parameters, *(1,) * (rank - 2)) if self.num_parameters > 1 else ()


def _clamp(b: Any, x: Any, low: float, high: float) -> Any:
    """`x` within [low, high], with gradient 0 on the limits."""
    y = b.where(b.less_equal(x, low), b.constant(low, like=x), x)
    return b.where(b.greater_equal(x, high), b.constant(high, like=x), y)

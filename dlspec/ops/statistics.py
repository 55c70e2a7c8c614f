"""Variance, norms and their like: reductions made of simpler ones."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import PositiveFloat

from dlspec.ir.op import OpError
from dlspec.ir.types import TensorType
from dlspec.ops._axes import size_value
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float
from dlspec.ops.reductions import AXES_EXAMPLES, _Reduction

LOWEST = -3e38  # below it there is only -infinity in f32


class _FloatReduction(_Reduction):
    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        require_float(x, f"`{self.spec_name()}`")


class Var(_FloatReduction):
    """The variance: sum((x - mean)^2) / (n - 1), or / n if not `unbiased`. As in PyTorch, not as in Keras."""

    examples: ClassVar = [*AXES_EXAMPLES, ({"axis": -1, "unbiased": False}, ("f32[2, 3]",))]

    unbiased: bool = True

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        super().check(x, axes)
        if self.unbiased and self.count(x) == 1:
            raise OpError(
                f"`{self.spec_name()}` of one element divides by zero",
                operand=0,
                label="one element",
                hint="reduce over more elements, or use `unbiased = false`",
                code="DLS0321",
            )

    def reference(self, x: Any) -> Any:
        return np.var(x, **self.where, ddof=int(self.unbiased))

    def decompose(self, b: Any, x: Any) -> Any:
        centred = x - b.mean(x, axis=self.axis, keepdims=True)
        count = self.count(x.type) - int(self.unbiased)
        return b.sum(centred * centred, **self.where) / size_value(b, count, x)


class Std(Var):
    """The standard deviation: the square root of the variance, `unbiased` or not."""

    def reference(self, x: Any) -> Any:
        return np.sqrt(super().reference(x))

    def decompose(self, b: Any, x: Any) -> Any:
        return b.sqrt(b.var(x, **self.where, unbiased=self.unbiased))


class Logsumexp(_FloatReduction):
    """log(sum(exp(x))), computed without overflow."""

    def reference(self, x: Any) -> Any:
        top = np.max(x, axis=self.where["axis"], keepdims=True)
        top = np.where(np.isfinite(top), top, 0)
        with np.errstate(divide="ignore"):
            y = np.log(np.sum(np.exp(x - top), **self.where))
        return y + top.reshape(np.shape(y))

    def decompose(self, b: Any, x: Any) -> Any:
        top = b.stop_gradient(b.max(x, axis=self.axis, keepdims=True))
        top = b.where(b.less(top, LOWEST), b.constant(0.0, like=x), top)
        y = b.log(b.sum(b.exp(x - top), **self.where))
        return y + (top if self.keepdims else b.squeeze(top, axis=self.axis))


class Norm(_FloatReduction):
    """sum(|x|^p)^(1/p); p = inf is the greatest |x|. The gradient of the norm of zeros is 0."""

    examples: ClassVar = [
        *AXES_EXAMPLES,
        ({"p": 1, "axis": 1}, ("f32[2, 3]",)),
        ({"p": 3}, ("f32[2, 3]",)),
        ({"p": "inf", "axis": -1}, ("f32[2, 3]",)),
    ]

    p: PositiveFloat | str = 2.0

    @property
    def _order(self) -> float:
        if isinstance(self.p, str) and self.p != "inf":
            raise OpError(
                f'`norm`: argument `p` must be a number or "inf", not the string "{self.p}"',
                argument="p",
                label="not a number",
                code="DLS0207",
            )
        return float(self.p)

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        super().check(x, axes)
        _ = self._order

    def reference(self, x: Any) -> Any:
        p = self._order
        if p == math.inf:
            return np.max(np.abs(x), **self.where)
        return np.sum(np.abs(x) ** p, **self.where) ** (1 / p)

    def decompose(self, b: Any, x: Any) -> Any:
        p = self._order
        if p == math.inf:
            return b.max(b.abs(x), **self.where)
        if p == 1:
            return b.sum(b.abs(x), **self.where)
        total = b.sum(x * x if p == 2 else b.pow(b.abs(x), p), **self.where)
        zero = b.equal(total, 0.0)
        safe = b.where(zero, b.constant(1.0, like=x), total)
        root = b.sqrt(safe) if p == 2 else b.pow(safe, 1 / p)
        return b.where(zero, b.constant(0.0, like=x), root)

"""Elementary functions of one floating-point tensor."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float

POSITIVE: list[tuple[dict[str, Any], tuple[str, ...]]] = [({}, ("f32[2, 3] > 0",)), ({}, ("f32[] > 0",))]


class _Function(Op):
    examples: ClassVar = [({}, ("f32[2, 3]",)), ({}, ("f32[]",))]

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, f"`{self.spec_name()}`")
        return x


class Exp(_Function):
    """e to the power x."""

    def reference(self, x: Any) -> Any:
        return np.exp(x)


class Log(_Function):
    """The natural logarithm."""

    examples: ClassVar = POSITIVE

    def reference(self, x: Any) -> Any:
        return np.log(x)


class Log1p(_Function):
    """log(1 + x), exact for small x. Decomposed by Kahan's correction (Goldberg 1991, theorem 4)."""

    examples: ClassVar = POSITIVE

    def reference(self, x: Any) -> Any:
        return np.log1p(x)

    def decompose(self, b: Any, x: Any) -> Any:
        u = x + 1.0
        small = b.equal(u, 1.0)
        denominator = b.where(small, b.constant(1.0, like=x), u - 1.0)
        return b.where(small, x, b.log(u) * x / denominator)


class Expm1(_Function):
    """exp(x) - 1, exact for small x. Decomposed as tanh(x / 2) (exp(x) + 1)."""

    def reference(self, x: Any) -> Any:
        return np.expm1(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.tanh(x * 0.5) * (b.exp(x) + 1.0)


class Sqrt(_Function):
    """The square root."""

    examples: ClassVar = POSITIVE

    def reference(self, x: Any) -> Any:
        return np.sqrt(x)


class Rsqrt(_Function):
    """1 / sqrt(x)."""

    examples: ClassVar = POSITIVE

    def reference(self, x: Any) -> Any:
        return 1 / np.sqrt(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return 1.0 / b.sqrt(x)


class Reciprocal(_Function):
    """1 / x."""

    examples: ClassVar = POSITIVE

    def reference(self, x: Any) -> Any:
        return 1 / x

    def decompose(self, b: Any, x: Any) -> Any:
        return 1.0 / x


class Floor(_Function):
    """The greatest whole number that is not greater."""

    def reference(self, x: Any) -> Any:
        return np.floor(x)


class Ceil(_Function):
    """The smallest whole number that is not smaller."""

    def reference(self, x: Any) -> Any:
        return np.ceil(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return -b.floor(-x)


class Round(_Function):
    """The nearest whole number; halves go to the even one (0.5 to 0, 1.5 to 2)."""

    def reference(self, x: Any) -> Any:
        return np.round(x)

    def decompose(self, b: Any, x: Any) -> Any:
        up = b.floor(x + 0.5)
        odd_half = b.logical_and(b.equal(up - x, 0.5), b.equal(b.mod(up, 2.0), 1.0))
        return b.where(odd_half, up - 1.0, up)


class Sin(_Function):
    """The sine, of radians."""

    def reference(self, x: Any) -> Any:
        return np.sin(x)


class Cos(_Function):
    """The cosine, of radians."""

    def reference(self, x: Any) -> Any:
        return np.cos(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.sin(x + math.pi / 2)


class Tanh(_Function):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""

    def reference(self, x: Any) -> Any:
        return np.tanh(x)


class Erf(_Function):
    """The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    def reference(self, x: Any) -> Any:
        return np.vectorize(math.erf, otypes=[np.asarray(x).dtype])(x)


class Isnan(_Function):
    """Where x is not a number, as bool."""

    def infer(self, x: TensorType) -> TensorType:
        return super().infer(x).with_dtype("bool")

    def reference(self, x: Any) -> Any:
        return np.isnan(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.not_equal(x, x)

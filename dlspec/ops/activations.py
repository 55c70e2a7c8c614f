"""Activation functions: elementwise, floating point in and out. Defaults and kinks are PyTorch's."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import PositiveFloat

from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float
from dlspec.ops.functions import Erf

SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


class _Activation(Op):
    examples: ClassVar = [({}, ("f32[2, 3, 4]",))]

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, f"`{self.spec_name()}`")
        return x


class Elu(_Activation):
    """x if x > 0 else alpha * (exp(x) - 1) (Clevert et al. 2016)."""

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({"alpha": 0.5}, ("f32[2, 3]",))]

    alpha: float = 1.0

    def reference(self, x: Any) -> Any:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def decompose(self, b: Any, x: Any) -> Any:
        return _elu(b, x, self.alpha, 1.0)


class Selu(_Activation):
    """scale * (x if x > 0 else alpha * (exp(x) - 1)), self-normalising (Klambauer et al. 2017)."""

    def reference(self, x: Any) -> Any:
        return SELU_SCALE * np.where(x > 0, x, SELU_ALPHA * np.expm1(np.minimum(x, 0)))

    def decompose(self, b: Any, x: Any) -> Any:
        return _elu(b, x, SELU_ALPHA, 1.0) * SELU_SCALE


class Celu(_Activation):
    """max(x, 0) + min(0, alpha * (exp(x / alpha) - 1)) (Barron 2017)."""

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({"alpha": 0.5}, ("f32[2, 3]",))]

    alpha: PositiveFloat = 1.0

    def reference(self, x: Any) -> Any:
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0) / self.alpha))

    def decompose(self, b: Any, x: Any) -> Any:
        return _elu(b, x, self.alpha, self.alpha)


class Gelu(_Activation):
    """x * Phi(x), Phi the normal distribution function (Hendrycks and Gimpel 2016).

    `approximate` takes 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) instead.
    """

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({"approximate": True}, ("f32[2, 3]",))]

    approximate: bool = False

    def reference(self, x: Any) -> Any:
        if self.approximate:
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
        return 0.5 * x * (1 + Erf().reference(x * math.sqrt(0.5)))

    def decompose(self, b: Any, x: Any) -> Any:
        if self.approximate:
            inner = (x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)
            return x * 0.5 * (b.tanh(inner) + 1.0)
        return x * 0.5 * (b.erf(x * math.sqrt(0.5)) + 1.0)


class Sigmoid(_Activation):
    """1 / (1 + exp(-x))."""

    def reference(self, x: Any) -> Any:
        return np.exp(-np.logaddexp(0, -x))


class Silu(_Activation):
    """x * sigmoid(x), also called swish (Ramachandran et al. 2017)."""

    def reference(self, x: Any) -> Any:
        return x * Sigmoid().reference(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return x * b.sigmoid(x)


class Mish(_Activation):
    """x * tanh(softplus(x)) (Misra 2019)."""

    def reference(self, x: Any) -> Any:
        return x * np.tanh(np.logaddexp(0, x))

    def decompose(self, b: Any, x: Any) -> Any:
        return x * b.tanh(b.softplus(x))


class Softplus(_Activation):
    """log(1 + exp(beta * x)) / beta, for all x (PyTorch's cut at 20 is below f32's precision)."""

    examples: ClassVar = [({}, ("f32[2, 3, 4]",)), ({"beta": 2.5}, ("f32[2, 3]",))]

    beta: PositiveFloat = 1.0

    def reference(self, x: Any) -> Any:
        return np.logaddexp(0, x * self.beta) / self.beta

    def decompose(self, b: Any, x: Any) -> Any:
        z = x if self.beta == 1 else x * self.beta
        y = b.maximum(z, 0.0) + b.log1p(b.exp(-b.abs(z)))
        return y if self.beta == 1 else y / self.beta


class LogSigmoid(_Activation):
    """log(1 / (1 + exp(-x)))."""

    def reference(self, x: Any) -> Any:
        return -np.logaddexp(0, -x)

    def decompose(self, b: Any, x: Any) -> Any:
        return -b.softplus(-x)


class Softsign(_Activation):
    """x / (1 + |x|)."""

    def reference(self, x: Any) -> Any:
        return x / (1 + np.abs(x))

    def decompose(self, b: Any, x: Any) -> Any:
        return x / (b.abs(x) + 1.0)


class TanhShrink(_Activation):
    """x - tanh(x): nothing near zero, close to the identity far from it."""

    def reference(self, x: Any) -> Any:
        return x - np.tanh(x)

    def decompose(self, b: Any, x: Any) -> Any:
        return x - b.tanh(x)


def _elu(b: Any, x: Any, alpha: float, width: float) -> Any:
    """The exponential only sees what is not positive, so that it cannot overflow into the gradient."""
    positive = b.greater(x, 0.0)
    negative = b.where(positive, b.constant(0.0, like=x), x)
    return b.where(positive, x, b.expm1(negative if width == 1 else negative / width) * alpha)

"""Arithmetic and elementary functions, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import model_validator

from dlspec.ir.op import Op, OpError, broadcast
from dlspec.ir.types import FLOATS, TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import promote


class _Binary(Op):
    """Two operands broadcast against each other and promoted to one element type."""

    operands: ClassVar = ("x", "y")
    examples: ClassVar = [
        ({}, ("f32[2, 3]", "f32[2, 3]")),
        ({}, ("f32[2, 3]", "f32[3]")),
        ({}, ("f32[2, 1]", "f32[3]")),
        ({}, ("f32[2, 3]", "f32[]")),
        ({}, ("i64[2, 3]", "i64[3]")),
    ]

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        dtype = promote(x, y)
        if dtype == "bool":
            raise OpError(
                f"`{self.spec_name()}` needs numbers, but got {x} and {y}",
                operand=0,
                label="not for bool",
                hint='convert with `cast(x, "i64")`, or use `logical_and`, `logical_or`',
                code="DLS0304",
            )
        return tensor(dtype, broadcast(x.shape, y.shape))


def _like_bias(x: TensorType, y: TensorType) -> bool:
    """Whether y has one long axis, as long as x's second or last, but is not a bias of its last.

    `keras.ops.add` on TensorFlow takes it for a bias all the same, of the axis that is as long (Keras 3.15).
    """
    long = [axis for axis, length in enumerate(y.shape) if length != 1]
    if len(long) != 1 or x.rank < 2 or not isinstance(y.shape[long[0]], int):
        return False
    length = y.shape[long[0]]
    fits = long[0] == y.rank - 1 and x.shape[-1] == length
    return not fits and length in (x.shape[1], x.shape[-1])


class Add(_Binary):
    """x + y."""

    examples: ClassVar = [
        *_Binary.examples,
        ({}, ("f32[2, 4, 3, 3]", "i64[3, 1]")),
        ({}, ("f32[4, 2, 1]", "i64[2]")),
    ]

    def facts(self, x: TensorType, y: TensorType) -> dict[str, Any]:
        return {"dtype": promote(x, y), "like_bias": _like_bias(x, y)}

    def reference(self, x: Any, y: Any) -> Any:
        return x + y


class Sub(_Binary):
    """x - y."""

    def reference(self, x: Any, y: Any) -> Any:
        return x - y


class Mul(_Binary):
    """x * y."""

    def reference(self, x: Any, y: Any) -> Any:
        return x * y


class Div(_Binary):
    """x / y, in floating point: integers are converted to f32."""

    examples: ClassVar = [
        ({}, ("f32[2, 3]", "f32[2, 3] > 0")),
        ({}, ("f32[2, 3]", "f32[3] > 0")),
        ({}, ("i64[2, 3] < 9", "i64[3] > 0")),
        ({}, ("f32[2, 3]", "i64[3] > 0")),
    ]

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        dtype = promote(x, y)
        return tensor(dtype if dtype in FLOATS else "f32", broadcast(x.shape, y.shape))

    def facts(self, x: TensorType, y: TensorType) -> dict[str, Any]:
        return {"integers": promote(x, y) not in FLOATS}

    def reference(self, x: Any, y: Any) -> Any:
        return np.true_divide(x, y)


class Floordiv(_Binary):
    """floor(x / y): rounds down, also where signs differ (-7 // 2 = -4), as Python's `//`."""

    examples: ClassVar = [
        ({}, ("i64[4, 5]", "i64[5] > 0")),
        ({}, ("f32[4, 5]", "f32[5] > 0")),
    ]

    def facts(self, x: TensorType, y: TensorType) -> dict[str, Any]:
        return {"integers": promote(x, y) not in FLOATS}

    def reference(self, x: Any, y: Any) -> Any:
        return np.floor_divide(x, y)


class Mod(_Binary):
    """x - floor(x / y) * y: the remainder with the sign of y, as Python's `%`."""

    examples: ClassVar = Floordiv.examples

    def facts(self, x: TensorType, y: TensorType) -> dict[str, Any]:
        return {"integers": promote(x, y) not in FLOATS}

    def reference(self, x: Any, y: Any) -> Any:
        return np.mod(x, y)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        return x - b.floordiv(x, y) * y


class Pow(_Binary):
    """x to the power y."""

    examples: ClassVar = [
        ({}, ("f32[2, 3] > 0", "f32[3]")),
        ({}, ("f32[2, 3]", "i64[3] < 4")),
        ({}, ("i64[2, 3] < 4", "i64[3] < 4")),
    ]

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        if y.is_float and not x.is_float:
            raise OpError(
                "an integer tensor cannot be raised to a fractional power",
                operand=0,
                label=f"{x.dtype} to the power of {y.dtype}",
                hint='convert with `cast(x, "f32")`',
                code="DLS0304",
            )
        return super().infer(x, y)

    def reference(self, x: Any, y: Any) -> Any:
        return np.power(x, y)


class Maximum(_Binary):
    """The greater of x and y; on ties the gradient goes half to each."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.maximum(x, y)


class Minimum(_Binary):
    """The smaller of x and y; on ties the gradient goes half to each."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.minimum(x, y)


class _Number(Op):
    """One numeric operand, its type kept."""

    examples: ClassVar = [({}, ("f32[2, 3]",)), ({}, ("f32[]",)), ({}, ("i64[3]",))]

    def infer(self, x: TensorType) -> TensorType:
        if x.dtype == "bool":
            raise OpError(
                f"`{self.spec_name()}` needs numbers, but got {x}",
                operand=0,
                label="not for bool",
                hint='convert with `cast(x, "i64")`, or use `logical_not`',
                code="DLS0304",
            )
        return x


class Neg(_Number):
    """-x."""

    def reference(self, x: Any) -> Any:
        return -x


class Abs(_Number):
    """|x|; the gradient at 0 is 0."""

    def reference(self, x: Any) -> Any:
        return np.abs(x)


class Sign(_Number):
    """-1, 0 or 1."""

    def reference(self, x: Any) -> Any:
        return np.sign(x)


class Square(_Number):
    """x * x."""

    def reference(self, x: Any) -> Any:
        return x * x

    def decompose(self, b: Any, x: Any) -> Any:
        return x * x


class Clip(_Number):
    """x limited to [min, max]; either may be left out. The gradient is 1 on the limits."""

    examples: ClassVar = [
        ({"min": -0.5, "max": 0.5}, ("f32[2, 3]",)),
        ({"min": 0.1}, ("f32[2, 3]",)),
        ({"max": 3}, ("i64[7]",)),
    ]

    min: int | float | None = None
    max: int | float | None = None

    @model_validator(mode="after")
    def _has_limits(self) -> Clip:
        if self.min is None and self.max is None:
            raise ValueError("give `min` or `max` (or both)")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"`min` {self.min} is greater than `max` {self.max}")
        return self

    def infer(self, x: TensorType) -> TensorType:
        super().infer(x)
        if not x.is_float and (isinstance(self.min, float) or isinstance(self.max, float)):
            raise OpError(
                f"`clip` of {x} needs whole numbers as limits",
                operand=0,
                label="not whole numbers",
                hint='write them without a point, or convert with `cast(x, "f32")`',
                code="DLS0304",
            )
        return x

    def reference(self, x: Any) -> Any:
        return np.clip(x, self.min, self.max)

    def decompose(self, b: Any, x: Any) -> Any:
        y = x
        if self.min is not None:
            y = b.where(b.less(x, self.min), b.constant(self.min, like=x), y)
        if self.max is not None:
            y = b.where(b.less(self.max, x), b.constant(self.max, like=x), y)
        return y

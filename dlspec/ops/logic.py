"""Comparison, logic and choice, element by element, with NumPy's broadcasting."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.op import Op, OpError, broadcast
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import promote


def require_bool(x: TensorType, what: str, operand: int = 0) -> None:
    """Raise `OpError` unless `x` holds truth values."""
    if x.dtype != "bool":
        raise OpError(
            f"{what} needs true or false, but got {x}",
            operand=operand,
            label=f"{x.dtype}, not bool",
            hint='compare first, as in `x > 0`, or convert with `cast(x, "bool")`',
            code="DLS0304",
        )


class _Comparison(Op):
    operands: ClassVar = ("x", "y")
    examples: ClassVar = [
        ({}, ("f32[2, 3]", "f32[2, 3]")),
        ({}, ("i64[2, 9] < 3", "i64[9] < 3")),
        ({}, ("f32[2, 3]", "f32[]")),
    ]

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        return tensor("bool", broadcast(x.shape, y.shape))


class Equal(_Comparison):
    """x == y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.equal(x, y)


class NotEqual(_Comparison):
    """x != y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.not_equal(x, y)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        return b.logical_not(b.equal(x, y))


class Less(_Comparison):
    """x < y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.less(x, y)


class LessEqual(_Comparison):
    """x <= y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.less_equal(x, y)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        return b.logical_or(b.less(x, y), b.equal(x, y))


class Greater(_Comparison):
    """x > y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.greater(x, y)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        return b.less(y, x)


class GreaterEqual(_Comparison):
    """x >= y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.greater_equal(x, y)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        return b.less_equal(y, x)


class _Logic(Op):
    operands: ClassVar = ("x", "y")
    examples: ClassVar = [({}, ("bool[4, 3]", "bool[4, 3]")), ({}, ("bool[4, 3]", "bool[3]"))]

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        require_bool(x, f"`{self.spec_name()}`")
        require_bool(y, f"`{self.spec_name()}`", 1)
        return tensor("bool", broadcast(x.shape, y.shape))


class LogicalAnd(_Logic):
    """x and y."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.logical_and(x, y)


class LogicalOr(_Logic):
    """x or y (or both)."""

    def reference(self, x: Any, y: Any) -> Any:
        return np.logical_or(x, y)

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        return b.logical_not(b.logical_and(b.logical_not(x), b.logical_not(y)))


class LogicalNot(Op):
    """not x."""

    examples: ClassVar = [({}, ("bool[2, 3]",))]

    def infer(self, x: TensorType) -> TensorType:
        require_bool(x, "`logical_not`")
        return x

    def reference(self, x: Any) -> Any:
        return np.logical_not(x)


class Where(Op):
    """x where the condition holds, else y. No gradient flows to what is not chosen."""

    operands: ClassVar = ("condition", "x", "y")
    examples: ClassVar = [
        ({}, ("bool[2, 3]", "f32[2, 3]", "f32[2, 3]")),
        ({}, ("bool[2, 1]", "f32[3]", "f32[]")),
        ({}, ("bool[3]", "i64[2, 3]", "i64[]")),
    ]

    def infer(self, condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
        require_bool(condition, "the condition of `where`")
        return tensor(promote(x, y), broadcast(condition.shape, broadcast(x.shape, y.shape)))

    def reference(self, condition: Any, x: Any, y: Any) -> Any:
        return np.where(condition, x, y)

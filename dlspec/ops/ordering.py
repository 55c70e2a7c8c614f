"""What depends on the order of elements: where the greatest are, the first k, running sums."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PositiveInt

from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import replaced
from dlspec.ops._numpy import np


def _numbers(x: TensorType, what: str) -> None:
    if x.dtype == "bool":
        raise OpError(f"{what} needs numbers, but got {x}", operand=0, label="not for bool", code="DLS0304")


class Argmax(Op):
    """The index of the greatest element along `axis` (of all elements, when left out); ties: the first."""

    examples: ClassVar = [
        ({"axis": -1}, ("f32[2, 5]",)),
        ({}, ("f32[2, 5]",)),
        ({"axis": 0, "keepdims": True}, ("f32[4, 5]",)),
        ({"axis": 1}, ("i64[3, 9] < 3",)),
    ]

    axis: int | None = None
    keepdims: bool = False

    def resolve(self, x: TensorType) -> Op:
        return self if self.axis is None else self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        _numbers(x, f"`{self.spec_name()}`")
        if self.axis is None:
            return tensor("i64", (1,) * x.rank if self.keepdims else ())
        axis = axis_index(self.axis, x.rank)
        dims = (1,) if self.keepdims else ()
        return x.with_shape(replaced(x.shape, axis, *dims)).with_dtype("i64")

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"all": self.axis is None}

    def reference(self, x: Any) -> Any:
        return np.argmax(x, axis=self.axis, keepdims=self.keepdims)

    def decompose(self, b: Any, x: Any) -> Any:
        return NotImplemented if self.axis is not None else _over_all(b, x, "argmax", self.keepdims)


class Argmin(Argmax):
    """The index of the smallest element along `axis` (of all elements, when left out); ties: the first."""

    def reference(self, x: Any) -> Any:
        return np.argmin(x, axis=self.axis, keepdims=self.keepdims)

    def decompose(self, b: Any, x: Any) -> Any:
        if self.axis is None:
            return _over_all(b, x, "argmin", self.keepdims)
        return (
            NotImplemented if x.type.dtype == "u8" else b.argmax(-x, axis=self.axis, keepdims=self.keepdims)
        )


def _over_all(b: Any, x: Any, name: str, keepdims: bool) -> Any:
    flat = b.reshape(x, shape=(x.type.size,))
    index = getattr(b, name)(flat, axis=0)
    return b.reshape(index, shape=(1,) * x.type.rank) if keepdims else index


class Topk(Op):
    """The k greatest elements along `axis` in falling order, and their indices; ties: the lowest index."""

    examples: ClassVar = [
        ({"k": 2}, ("f32[3, 5]",)),
        ({"k": 3, "axis": 0}, ("f32[4, 2]",)),
        ({"k": 4}, ("i64[2, 6] < 3",)),
    ]

    k: PositiveInt
    axis: int = -1

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> tuple[TensorType, TensorType]:
        _numbers(x, "`topk`")
        axis = axis_index(self.axis, x.rank)
        length = x.shape[axis]
        if isinstance(length, int) and self.k > length:
            raise OpError(
                f"`topk` takes {self.k} of the {length} elements of axis {axis}",
                operand=0,
                argument="k",
                label=f"at most {length}",
                code="DLS0321",
            )
        values = x.with_shape(replaced(x.shape, axis, self.k))
        return values, values.with_dtype("i64")

    def reference(self, x: Any) -> Any:
        # Sorting the reversed array and reversing the order keeps the lowest index first among equals.
        length = x.shape[self.axis]
        order = length - 1 - np.argsort(np.flip(x, self.axis), axis=self.axis, kind="stable")
        index = np.take(np.flip(order, self.axis), range(self.k), axis=self.axis)
        return np.take_along_axis(x, index, self.axis), index


class Cumsum(Op):
    """Running sums along `axis`: element i is the sum of elements 0 to i."""

    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 5]",)),
        ({"axis": -2}, ("f32[2, 5]",)),
        ({"axis": 0}, ("i64[4]",)),
    ]

    axis: int

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        _numbers(x, "`cumsum`")
        axis_index(self.axis, x.rank)
        return x

    def reference(self, x: Any) -> Any:
        return np.cumsum(x, axis=self.axis, dtype=x.dtype)

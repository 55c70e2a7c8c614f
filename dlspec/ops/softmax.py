"""Normalised exponentials along one axis, and gates."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.dims import exact_quotient
from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import TensorType
from dlspec.ops._axes import known, replaced
from dlspec.ops._numpy import np
from dlspec.ops.activations import Sigmoid
from dlspec.ops.dtypes import require_float


class _AlongAxis(Op):
    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]",)),
        ({"axis": 1}, ("f32[2, 3, 4]",)),
        ({"axis": -2}, ("f32[2, 3]",)),
    ]

    axis: int = -1

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, f"`{self.spec_name()}`")
        axis_index(self.axis, x.rank)
        return x

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"last": axis_index(self.axis, x.rank) == x.rank - 1}


class Softmax(_AlongAxis):
    """exp(x) / sum(exp(x)) along `axis`."""

    def reference(self, x: Any) -> Any:
        e = np.exp(x - x.max(axis=self.axis, keepdims=True))
        return e / e.sum(axis=self.axis, keepdims=True)

    def decompose(self, b: Any, x: Any) -> Any:
        e = b.exp(x - b.stop_gradient(b.max(x, axis=self.axis, keepdims=True)))
        return e / b.sum(e, axis=self.axis, keepdims=True)


class LogSoftmax(_AlongAxis):
    """log(softmax(x)) along `axis`, computed without underflow."""

    def reference(self, x: Any) -> Any:
        shifted = x - x.max(axis=self.axis, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=self.axis, keepdims=True))

    def decompose(self, b: Any, x: Any) -> Any:
        shifted = x - b.stop_gradient(b.max(x, axis=self.axis, keepdims=True))
        return shifted - b.log(b.sum(b.exp(shifted), axis=self.axis, keepdims=True))


class Glu(_AlongAxis):
    """a * sigmoid(b), where a and b are the halves of x along `axis` (Dauphin et al. 2017)."""

    examples: ClassVar = [({}, ("f32[2, 6]",)), ({"axis": 1}, ("f32[2, 4, 3]",))]

    def infer(self, x: TensorType) -> TensorType:
        require_float(x, "`glu`")
        axis = axis_index(self.axis, x.rank)
        if known(x.shape[axis], "the axis that `glu` halves") % 2:
            raise OpError(
                f"`glu` halves axis {axis} of {x}, which is odd",
                operand=0,
                argument="axis",
                label=f"{x.shape[axis]} cannot be halved",
                code="DLS0314",
            )
        return x.with_shape(replaced(x.shape, axis, exact_quotient(x.shape[axis], 2)))

    def reference(self, x: Any) -> Any:
        left, right = np.split(x, 2, axis=self.axis)
        return left * Sigmoid().reference(right)

    def decompose(self, b: Any, x: Any) -> Any:
        left, right = b.split(x, parts=2, axis=self.axis)
        return left * b.sigmoid(right)

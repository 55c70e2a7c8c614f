"""Metrics: what is reported beside the loss. Each is one f32 number for a batch, a mean over its examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import PositiveInt

from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import INTEGERS, TensorType, tensor
from dlspec.ops._axes import replaced, require_same_shape
from dlspec.ops.dtypes import require_float


class _Hits(Op):
    operands: ClassVar = ("logits", "label")

    if TYPE_CHECKING:  # each class states its fields itself, in the order of its positional arguments
        axis: int

    def resolve(self, logits: TensorType, label: TensorType) -> Op:
        return self.model_copy(update={"axis": self._axis(logits)})

    def infer(self, logits: TensorType, label: TensorType) -> TensorType:
        name = f"`{self.spec_name()}`"
        require_float(logits, name)
        expected = replaced(logits.shape, self._axis(logits))
        if label.dtype not in INTEGERS or label.shape != expected:
            raise OpError(
                f"{name} of {logits} needs labels {tensor('i64', expected)}, but got {label}",
                operand=1,
                label=f"not {tensor('i64', expected)}",
                hint=f"the classes are on axis {self._axis(logits)} of the logits",
                code="DLS0313",
            )
        return tensor("f32")

    def _axis(self, logits: TensorType) -> int:
        return axis_index(self.axis if logits.rank > 1 else -1, logits.rank)


class Accuracy(_Hits):
    """How often the greatest logit along `axis` is the label's; ties: the first counts."""

    examples: ClassVar = [
        ({}, ("f32[6, 3]", "i64[6] < 3")),
        ({}, ("f32[2, 3, 4]", "i64[2, 4] < 3")),
        ({"axis": -1}, ("f32[2, 3, 4]", "i64[2, 3] < 4")),
    ]

    axis: int = 1

    def decompose(self, b: Any, logits: Any, label: Any) -> Any:
        guess = b.argmax(logits, axis=self._axis(logits.type))
        return b.mean(b.cast(b.equal(guess, label), dtype="f32"))


class TopKAccuracy(_Hits):
    """How often the label's logit is among the k greatest along `axis`; ties: the lowest index."""

    examples: ClassVar = [
        ({"k": 2}, ("f32[6, 4]", "i64[6] < 4")),
        ({"axis": -1, "k": 1}, ("f32[2, 3, 4]", "i64[2, 3] < 4")),
    ]

    k: PositiveInt = 5
    axis: int = 1

    def decompose(self, b: Any, logits: Any, label: Any) -> Any:
        axis = self._axis(logits.type)
        _, best = b.topk(logits, k=self.k, axis=axis)
        hits = b.any(b.equal(best, b.unsqueeze(label, axis=axis)), axis=axis)
        return b.mean(b.cast(hits, dtype="f32"))


class BinaryAccuracy(Op):
    """How often the sign of the logit (above 0 or not) is that of the label (above 0.5 or not)."""

    operands: ClassVar = ("logits", "label")
    examples: ClassVar = [({}, ("f32[6, 1]", "i64[6, 1] < 2")), ({}, ("f32[6]", "f32[6]"))]

    def infer(self, logits: TensorType, label: TensorType) -> TensorType:
        require_float(logits, "`binary_accuracy`")
        require_same_shape(logits, label, "`binary_accuracy`")
        return tensor("f32")

    def decompose(self, b: Any, logits: Any, label: Any) -> Any:
        truth = b.greater(b.cast(label, dtype="f32"), 0.5)
        return b.mean(b.cast(b.equal(b.greater(logits, 0.0), truth), dtype="f32"))


class _Distance(Op):
    operands: ClassVar = ("prediction", "target")
    examples: ClassVar = [({}, ("f32[6, 2]", "f32[6, 2]")), ({}, ("f32[5]", "i64[5] < 4"))]

    def infer(self, prediction: TensorType, target: TensorType) -> TensorType:
        require_float(prediction, f"`{self.spec_name()}`")
        require_same_shape(prediction, target, f"`{self.spec_name()}`")
        return tensor("f32")

    def difference(self, b: Any, prediction: Any, target: Any) -> Any:
        """prediction - target, in f32."""
        return b.cast(prediction, dtype="f32") - b.cast(target, dtype="f32")


class MeanAbsoluteError(_Distance):
    """The mean of |x - t|."""

    def decompose(self, b: Any, prediction: Any, target: Any) -> Any:
        return b.mean(b.abs(self.difference(b, prediction, target)))


class MeanSquaredError(_Distance):
    """The mean of (x - t)^2."""

    def decompose(self, b: Any, prediction: Any, target: Any) -> Any:
        return b.mean(b.square(self.difference(b, prediction, target)))

"""Losses between distributions and directions, and margins."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat

from dlspec.ir.op import Op, axis_index
from dlspec.ir.types import TensorType
from dlspec.ops._axes import replaced, require_same_shape
from dlspec.ops.dtypes import require_float
from dlspec.ops.losses import _Pairwise


class KlDiv(_Pairwise):
    """t (log t - x), where x is the *logarithm* of what is predicted and t the target: KL(t || exp x).

    As in PyTorch; with `log_target` t is a logarithm too. "batchmean", the sum over the length of the first
    axis, is the divergence per example; "mean" divides by the number of elements.
    """

    operands: ClassVar = ("log_prediction", "target")
    examples: ClassVar = [
        ({}, ("f32[3, 4]", "f32[3, 4] > 0")),
        ({"reduction": "batchmean"}, ("f32[3, 4]", "f32[3, 4] > 0")),
        ({"reduction": "none", "log_target": True}, ("f32[3, 4]", "f32[3, 4]")),
    ]

    reduction: Literal["mean", "sum", "none", "batchmean"] = "mean"  # type: ignore[assignment]
    log_target: bool = False

    def infer(self, log_prediction: TensorType, target: TensorType) -> TensorType:
        require_float(log_prediction, "`kl_div`")
        require_float(target, "the target of `kl_div`")
        require_same_shape(log_prediction, target, "`kl_div`")
        return self.reduced(log_prediction)

    def reduce(self, b: Any, losses: Any) -> Any:
        if self.reduction != "batchmean":
            return super().reduce(b, losses)
        return b.sum(b.mean(losses, axis=0))

    def losses(self, b: Any, log_prediction: Any, target: Any) -> Any:
        if self.log_target:
            return b.exp(target) * (target - log_prediction)
        # 0 log 0 is 0: the logarithm never sees what is not positive.
        positive = b.greater(target, 0.0)
        log_target = b.log(b.where(positive, target, b.constant(1.0, like=target)))
        return target * (log_target - log_prediction)


class HingeLoss(_Pairwise):
    """max(0, margin - t x) for targets t of -1 and 1 (Cortes and Vapnik 1995)."""

    examples: ClassVar = [*_Pairwise.examples, ({"margin": 0.5}, ("f32[3, 4]", "f32[3, 4]"))]

    margin: PositiveFloat = 1.0

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        return b.relu(self.margin - target * prediction)


class PoissonNllLoss(_Pairwise):
    """exp(x) - t x for the logarithm x of the expected count; x - t log(x + 1e-8) if not `log_input`."""

    examples: ClassVar = [
        ({}, ("f32[3, 4]", "f32[3, 4] > 0")),
        ({"log_input": False, "reduction": "none"}, ("f32[3, 4] > 0", "i64[3, 4] < 4")),
    ]

    log_input: bool = True

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        if self.log_input:
            return b.exp(prediction) - target * prediction
        return prediction - target * b.log(prediction + 1e-8)


class CosineSimilarity(Op):
    """x . y / (max(|x|, eps) max(|y|, eps)) along `axis`: 1 for one direction, -1 for the opposite."""

    operands: ClassVar = ("x", "y")
    examples: ClassVar = [
        ({}, ("f32[3, 4]", "f32[3, 4]")),
        ({"axis": -1}, ("f32[2, 3, 4]", "f32[2, 3, 4]")),
    ]

    axis: int = 1
    eps: Annotated[float, Field(gt=0)] = 1e-8

    def resolve(self, x: TensorType, y: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType, y: TensorType) -> TensorType:
        require_float(x, "`cosine_similarity`")
        require_same_shape(x, y, "`cosine_similarity`")
        return x.with_shape(replaced(x.shape, axis_index(self.axis, x.rank)))

    def decompose(self, b: Any, x: Any, y: Any) -> Any:
        axis = axis_index(self.axis, x.type.rank)
        lengths = [b.maximum(b.norm(z, axis=axis), self.eps) for z in (x, y)]
        return b.sum(x * y, axis=axis) / (lengths[0] * lengths[1])

"""Losses: how far a prediction is from its target. Logits only, never clipped probabilities."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat

from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import INTEGERS, TensorType
from dlspec.ops._axes import replaced, require_same_shape
from dlspec.ops.dtypes import require_float


class _Loss(Op):
    """`reduction` is the mean (default) or the sum of all losses, or "none": each by itself."""

    reduction: Literal["mean", "sum", "none"] = "mean"

    def reduced(self, losses: TensorType) -> TensorType:
        """The type of the result."""
        return losses if self.reduction == "none" else losses.with_shape(())

    def reduce(self, b: Any, losses: Any) -> Any:
        """The losses as `reduction` says."""
        return losses if self.reduction == "none" else getattr(b, self.reduction)(losses)


class _Classification(_Loss):
    operands: ClassVar = ("logits", "label")
    examples: ClassVar = [
        ({}, ("f32[3, 4]", "i64[3] < 4")),
        ({"reduction": "none"}, ("f32[3, 4]", "i64[3] < 4")),
        ({"reduction": "sum"}, ("f32[2, 4, 3]", "i64[2, 3] < 4")),
        ({"axis": -1}, ("f32[2, 3, 4]", "i64[2, 3] < 4")),
        ({"ignore_index": 1}, ("f32[6, 3]", "i64[6] < 3")),
        ({"ignore_index": -100, "reduction": "none"}, ("f32[6, 3]", "i64[6] < 3")),
    ]

    ignore_index: int | None = None
    axis: int = 1

    def resolve(self, logits: TensorType, label: TensorType) -> Op:
        return self.model_copy(update={"axis": self._axis(logits)})

    def infer(self, logits: TensorType, label: TensorType) -> TensorType:
        name = f"`{self.spec_name()}`"
        require_float(logits, name)
        if label.dtype not in INTEGERS:
            raise OpError(
                f"{name} needs class numbers as labels, but got {label}",
                operand=1,
                label=f"{label.dtype}, not i64",
                hint="declare the labels `i64`; for probabilities use `bce_with_logits` or `kl_div`",
                code="DLS0304",
            )
        expected = logits.with_shape(replaced(logits.shape, self._axis(logits)))
        if label.shape != expected.shape:
            wanted = label.with_shape(expected.shape)
            raise OpError(
                f"{name} of {logits} needs labels {wanted}, but got {label}",
                operand=1,
                label=f"not {wanted}",
                hint=f"the classes are on axis {self._axis(logits)} of the logits",
                code="DLS0313",
            )
        return self.reduced(expected)

    def facts(self, logits: TensorType, label: TensorType) -> dict[str, Any]:
        return {
            "rank": logits.rank,
            "last": self._axis(logits) == logits.rank - 1,
            "classes": logits.shape[self.axis],
        }

    def _axis(self, logits: TensorType) -> int:
        return axis_index(self.axis if logits.rank > 1 else -1, logits.rank)

    def _picked(self, b: Any, scores: Any, label: Any) -> Any:
        """The score of each label."""
        axis = self._axis(scores.type)
        return b.squeeze(b.gather(scores, b.unsqueeze(label, axis=axis), axis=axis), axis=axis)

    def _total(self, b: Any, label: Any, loss: Any) -> Any:
        """`loss` maps labels to losses; those of ignored labels count neither above nor below the line."""
        if self.ignore_index is None:
            return self.reduce(b, loss(label))
        valid = b.not_equal(label, self.ignore_index)
        losses = loss(b.where(valid, label, b.constant(0, like=label)))
        losses = b.where(valid, losses, b.constant(0.0, like=losses))
        if self.reduction != "mean":
            return self.reduce(b, losses)
        count = b.sum(b.cast(valid, dtype=losses.type.dtype))
        return b.sum(losses) / b.maximum(count, 1.0)


class CrossEntropy(_Classification):
    """-log softmax(logits)[label] along `axis` (1, as in PyTorch; or the only one).

    With `label_smoothing` s the target is (1 - s) one_hot + s / classes. Labels equal to `ignore_index`
    are left out (the mean over none is 0).
    """

    examples: ClassVar = [
        *_Classification.examples,
        ({"label_smoothing": 0.1}, ("f32[3, 4]", "i64[3] < 4")),
        ({"axis": -1, "reduction": "sum"}, ("f32[2, 5, 3, 4]", "i64[2, 5, 3] < 4")),
        ({"label_smoothing": 0.1, "axis": -1}, ("f32[2, 3, 4]", "i64[2, 3] < 4")),
        ({"label_smoothing": 0.2, "ignore_index": 0, "axis": -1}, ("f32[2, 3, 4]", "i64[2, 3] < 4")),
    ]

    label_smoothing: Annotated[float, Field(ge=0, le=1)] = 0.0

    def decompose(self, b: Any, logits: Any, label: Any) -> Any:
        axis, smoothing = self._axis(logits.type), self.label_smoothing
        scores = b.log_softmax(logits, axis=axis)

        def loss(label: Any) -> Any:
            own = -self._picked(b, scores, label)
            return own if smoothing == 0 else own * (1 - smoothing) - b.mean(scores, axis=axis) * smoothing

        return self._total(b, label, loss)


class NllLoss(_Classification):
    """-logits[label] along `axis`, for what are already log-probabilities."""

    def decompose(self, b: Any, logits: Any, label: Any) -> Any:
        return self._total(b, label, lambda label: -self._picked(b, logits, label))


class _Pairwise(_Loss):
    """Two tensors of one shape (or a number as target), element by element."""

    operands: ClassVar = ("prediction", "target")
    examples: ClassVar = [
        ({}, ("f32[3, 4]", "f32[3, 4]")),
        ({"reduction": "none"}, ("f32[3, 4]", "f32[3, 4]")),
        ({"reduction": "sum"}, ("f32[2, 3, 4]", "f32[2, 3, 4]")),
        ({}, ("f32[5]", "f32[]")),
        ({"reduction": "none"}, ("f32[5]", "i64[] < 2")),
    ]

    def infer(self, prediction: TensorType, target: TensorType) -> TensorType:
        require_float(prediction, f"`{self.spec_name()}`")
        if target.rank != 0:
            require_same_shape(prediction, target, f"`{self.spec_name()}`")
        return self.reduced(prediction)

    def facts(self, prediction: TensorType, target: TensorType) -> dict[str, Any]:
        """`scalar`: the target is one number for all; `convert`: it is not of the prediction's type."""
        scalar = target.rank == 0 and prediction.rank > 0
        return {"scalar": scalar, "convert": target.dtype != prediction.dtype}

    def decompose(self, b: Any, prediction: Any, target: Any) -> Any:
        if target.type.dtype != prediction.type.dtype:
            target = b.cast(target, dtype=prediction.type.dtype)
        return self.reduce(b, self.losses(b, prediction, target))

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        """The loss of each element."""
        raise NotImplementedError


class BceWithLogits(_Pairwise):
    """-(t log sigmoid(x) + (1 - t) log sigmoid(-x)) = max(x, 0) - x t + log(1 + exp(-|x|)).

    t is within [0, 1]; for a number as target, such as ``bce_with_logits(D(fake), 0)``, it holds for all.
    `pos_weight` weighs the first term.
    """

    operands: ClassVar = ("logits", "target")
    examples: ClassVar = [
        ({}, ("f32[3, 4]", "f32[3, 4] > 0")),
        ({"reduction": "none"}, ("f32[3, 4]", "f32[3, 4]")),
        ({}, ("f32[3, 1]", "i64[] < 2")),
        ({"reduction": "sum"}, ("f32[5]", "i64[5] < 2")),
        ({"pos_weight": 3.0}, ("f32[5]", "i64[5] < 2")),
    ]

    pos_weight: PositiveFloat | None = None

    def decompose(self, b: Any, logits: Any, target: Any) -> Any:
        known = b.known.get(target.name)
        if self.pos_weight is None and known in (0, 1):
            # What is left of it then, as for a GAN's real and fake.
            return self.reduce(b, b.softplus(-logits if known else logits))
        return super().decompose(b, logits, target)

    def losses(self, b: Any, logits: Any, target: Any) -> Any:
        if self.pos_weight is None:
            return b.softplus(logits) - logits * target
        positive = b.softplus(-logits) * target * self.pos_weight
        return positive + b.softplus(logits) * (1.0 - target)


class MseLoss(_Pairwise):
    """(x - t)^2."""

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        return b.square(prediction - target)


class L1Loss(_Pairwise):
    """|x - t|."""

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        return b.abs(prediction - target)


class HuberLoss(_Pairwise):
    """d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), for d = x - t (Huber 1964)."""

    examples: ClassVar = [*_Pairwise.examples, ({"delta": 0.3}, ("f32[3, 4]", "f32[3, 4]"))]

    delta: PositiveFloat = 1.0

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        d = prediction - target
        far = b.abs(d)
        return b.where(b.less(far, self.delta), d * d * 0.5, (far - 0.5 * self.delta) * self.delta)


class SmoothL1Loss(_Pairwise):
    """d^2 / (2 beta) where |d| < beta, else |d| - beta / 2: the Huber loss over beta (Girshick 2015)."""

    examples: ClassVar = [*_Pairwise.examples, ({"beta": 0.3}, ("f32[3, 4]", "f32[3, 4]"))]

    beta: PositiveFloat = 1.0

    def losses(self, b: Any, prediction: Any, target: Any) -> Any:
        d = prediction - target
        far = b.abs(d)
        return b.where(b.less(far, self.beta), d * d * (0.5 / self.beta), far - 0.5 * self.beta)

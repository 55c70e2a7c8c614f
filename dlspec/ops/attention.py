"""Attention: values averaged by how alike queries and keys are (Vaswani et al. 2017)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op, OpError, broadcast
from dlspec.ir.types import Shape, TensorType, tensor
from dlspec.ops._axes import known, replaced
from dlspec.ops.dtypes import promote, require_float
from dlspec.ops.logic import require_bool

MASKED = {"f16": -6e4}
"""A score that softmax sends to zero, within the range of the element type; -1e30 elsewhere."""


class Attention_(Op):
    """softmax(similarity(q, k)) v over q [..., T, D], k [..., S, D] and v [..., S, E]: [..., T, E].

    similarity: `scaled_dot` q . k / sqrt(D), `dot` q . k, `cosine` of the angle, `euclidean` -|q - k|;
    `scale`, if given, is the factor instead. `mask` [..., T, S] keeps where true; `causal` lets position t
    see keys 0 to t. A query that may see nothing gives zero. With fewer heads (axis -3) in k and v than in
    q, each serves several heads in a row (grouped-query attention, Ainslie et al. 2023).
    """

    operands: ClassVar[tuple[str, ...]] = ("q", "k", "v", "mask?")
    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 5, 6]")),
        ({"causal": True}, ("f32[2, 2, 4, 3]", "f32[2, 2, 4, 3]", "f32[2, 2, 4, 3]")),
        ({"causal": True}, ("f32[2, 5, 4]", "f32[2, 3, 4]", "f32[2, 3, 4]")),
        ({}, ("f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 5, 4]", "bool[2, 3, 5]")),
        ({"causal": True}, ("f32[2, 2, 4, 3]", "f32[2, 2, 4, 3]", "f32[2, 2, 4, 3]", "bool[2, 1, 1, 4]")),
        ({}, ("f32[2, 4, 3, 2]", "f32[2, 2, 5, 2]", "f32[2, 2, 5, 2]")),
        ({"scale": 0.3}, ("f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 5, 6]")),
        ({"similarity": "dot"}, ("f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 5, 6]")),
        ({"similarity": "cosine", "scale": 10.0}, ("f32[2, 3, 4]", "f32[2, 5, 4]", "f32[2, 5, 6]")),
        ({"similarity": "euclidean", "causal": True}, ("f32[2, 3, 4]", "f32[2, 3, 4]", "f32[2, 3, 4]")),
        ({}, ("f32[3, 4]", "f32[5, 4]", "f32[5, 2]")),
    ]

    causal: bool = False
    scale: float | None = None
    similarity: Literal["scaled_dot", "dot", "cosine", "euclidean"] = "scaled_dot"

    @classmethod
    def spec_name(cls) -> str:
        return "attention"  # `Attention` is what users call their blocks

    def infer(
        self, q: TensorType, k: TensorType, v: TensorType, mask: TensorType | None = None
    ) -> TensorType:
        shown = f"{q}, {k} and {v}" if "v" in self.operands else f"{q} and {k}"
        for x, name in ((q, "q"), (k, "k"), (v, "v")):
            require_float(x, f"the operand {name} of {self._title}")
            if x.rank != q.rank or x.rank < 2:
                raise OpError(
                    f"{self._title} needs {self._needed} with the same two or more axes, but got {shown}",
                    operand=(q, k, v).index(x) if x.rank < 2 else ("q", "k", "v").index(name),
                    label=f"{x.rank} axes",
                    code="DLS0302",
                )
        if q.shape[-1] != k.shape[-1]:
            raise OpError(
                f"{self._title}: q {q} and k {k} differ on the last axis",
                operand=1,
                label=f"{k.shape[-1]} on the last axis, q has {q.shape[-1]}",
                hint="queries and keys are compared, so both need vectors of one length",
            )
        if k.shape[:-1] != v.shape[:-1]:
            raise OpError(
                f"{self._title}: k {k} and v {v} differ in more than the last axis",
                operand=2,
                label="one value is needed for each key",
            )
        known(q.shape[-1], f"the last axis of q in {self._title}")
        if self._groups(q, k) is None:
            raise OpError(
                f"{self._title}: the leading axes of q {q} and k {k} differ",
                operand=1,
                label="differs before the last two axes",
                hint="only axis -3, the heads, may be shorter in k and v, if it divides that of q",
            )
        if mask is not None:
            require_bool(mask, f"the mask of {self._title}", self.operands.index("mask?"))
            self._check_mask(mask, (*q.shape[:-1], k.shape[-2]))
        return tensor(promote(q, k, v), (*q.shape[:-1], v.shape[-1]))

    def macs(self, q: TensorType, k: TensorType, v: TensorType, mask: TensorType | None = None) -> Dim:
        pairs = tensor("f32", q.shape[:-1]).size * k.shape[-2]
        return pairs * q.shape[-1] + pairs * v.shape[-1]

    def facts(
        self, q: TensorType, k: TensorType, v: TensorType, mask: TensorType | None = None
    ) -> dict[str, Any]:
        """`groups`: how many heads of q share one of k; `factor`: what scores are multiplied by."""
        depth = int(q.shape[-1])  # type: ignore[arg-type]
        native = self.similarity in ("dot", "scaled_dot")
        default = depth**-0.5 if self.similarity == "scaled_dot" else 1.0
        return {
            "groups": self._groups(q, k),
            "grouped": self._groups(q, k) != 1,
            "has_mask": mask is not None,
            "factor": default if self.scale is None else self.scale,
            "dot_product": native,
            "default_scale": native and self.scale is None and self.similarity == "scaled_dot",
            "rank": q.rank,
        }

    @property
    def _title(self) -> str:
        return f"`{self.spec_name()}`"

    @property
    def _needed(self) -> str:
        return "q, k and v" if "v" in self.operands else "q and k"

    def _groups(self, q: TensorType, k: TensorType) -> int | None:
        if q.shape[:-2] == k.shape[:-2]:
            return 1
        if q.rank < 3 or q.shape[:-3] != k.shape[:-3]:
            return None
        heads, shared = q.shape[-3], k.shape[-3]
        if not isinstance(heads, int) or not isinstance(shared, int) or shared == 0 or heads % shared:
            return None
        return heads // shared

    def _check_mask(self, mask: TensorType, scores: Shape) -> None:
        fits = mask.rank <= len(scores)
        try:
            fits = fits and broadcast(mask.shape, scores) == scores
        except OpError:
            fits = False
        if not fits:
            raise OpError(
                f"the mask of {self._title} must fit the scores {tensor('bool', scores)}, but got {mask}",
                operand=self.operands.index("mask?"),
                label="does not fit the scores",
                hint="its last two axes are queries and keys; use `unsqueeze` where one axis is missing",
            )

    def decompose(self, b: Any, q: Any, k: Any, v: Any, mask: Any = None) -> Any:
        groups = self._groups(q.type, k.type)
        if groups != 1:
            v = b.repeat_interleave(v, repeats=groups, axis=-3)
        return self.shares(b, q, k, mask) @ v

    def shares(self, b: Any, q: Any, k: Any, mask: Any = None) -> Any:
        """How much each query takes of each value: [..., T, S]."""
        facts = self.facts(q.type, k.type, k.type, mask and mask.type)
        if facts["grouped"]:
            k = b.repeat_interleave(k, repeats=facts["groups"], axis=-3)
        scores = self._scores(b, q, k)
        if facts["factor"] != 1:
            scores = scores * facts["factor"]
        if self.causal:
            queries, keys = (b.arange(start=0, stop=x.type.shape[-2]) for x in (q, k))
            seen = b.greater_equal(b.unsqueeze(queries, axis=1), keys)
            mask = seen if mask is None else b.logical_and(mask, seen)
        if mask is None:
            return b.softmax(scores, axis=-1)
        low = b.constant(MASKED.get(scores.type.dtype, -1e30), like=scores)
        weights = b.softmax(b.where(mask, scores, low), axis=-1)
        return b.where(mask, weights, b.constant(0.0, like=weights))

    def _scores(self, b: Any, q: Any, k: Any) -> Any:
        if self.similarity == "euclidean":
            rank, shape = q.type.rank, q.type.shape
            rows = b.reshape(q, shape=(*shape[:-1], 1, shape[-1]))
            columns = b.reshape(k, shape=replaced(k.type.shape, rank - 2, 1, k.type.shape[-2]))
            return -b.norm(rows - columns, axis=-1)
        if self.similarity == "cosine":
            q, k = (x / b.maximum(b.norm(x, axis=-1, keepdims=True), 1e-8) for x in (q, k))
        return q @ b.transpose(k)


class AttentionWeights(Attention_):
    """softmax(similarity(q, k)) over q [..., T, D] and k [..., S, D]: the weights of `attention`, [..., T, S].

    For what is done to them before they meet the values, such as dropout; all else is as for `attention`.
    """

    operands: ClassVar = ("q", "k", "mask?")
    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]", "f32[2, 5, 4]")),
        ({"causal": True}, ("f32[2, 2, 4, 3]", "f32[2, 2, 4, 3]", "bool[2, 1, 1, 4]")),
        ({"scale": 0.3}, ("f32[2, 4, 3, 2]", "f32[2, 2, 5, 2]")),
        ({"similarity": "cosine"}, ("f32[3, 4]", "f32[5, 4]", "bool[3, 5]")),
    ]

    @classmethod
    def spec_name(cls) -> str:
        return "attention_weights"

    def infer(  # type: ignore[override]
        self, q: TensorType, k: TensorType, mask: TensorType | None = None
    ) -> TensorType:
        found = super().infer(q, k, k, mask)
        return found.with_shape((*found.shape[:-1], k.shape[-2]))

    def macs(self, q: TensorType, k: TensorType, mask: TensorType | None = None) -> Dim:  # type: ignore[override]
        return tensor("f32", q.shape[:-1]).size * k.shape[-2] * q.shape[-1]

    def facts(self, q: TensorType, k: TensorType, *more: TensorType | None) -> dict[str, Any]:
        return super().facts(q, k, k, more[-1] if more else None)

    def decompose(  # type: ignore[override]
        self, b: Any, q: Any, k: Any, mask: Any = None
    ) -> Any:
        return self.shares(b, q, k, mask)

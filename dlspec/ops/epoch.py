"""Metrics over a whole epoch: what is added up over its batches, what is kept of every example, and ranks.

`total` and `collect` are what they are given, where all examples are one batch; `passes.totals` makes them so.
"""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.dims import Symbolic
from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float


class _Gathered(Op):
    def reference(self, x: Any) -> Any:
        return x

    def decompose(self, b: Any, x: Any) -> Any:
        return x


class Total(_Gathered):
    """In a metric: the sum of x over all batches of the epoch, where x is a number or a table for a batch.

    What is computed from it is computed once, at the end: ``total(sum(hits)) / total(sum(all))``.
    """

    examples: ClassVar = [({}, ("f32[]",)), ({}, ("f32[3, 3]",)), ({}, ("i64[2]",))]

    def infer(self, x: TensorType) -> TensorType:
        if not all(isinstance(dim, int) for dim in x.shape):
            raise OpError(
                f"`total` adds up batches, which may differ in size, but {x} has the size of a batch",
                operand=0,
                label="as many as the batch has",
                hint="take a sum first, `total(sum(...))`; or `collect` keeps all examples",
                code="DLS0541",
            )
        return x if x.is_float or x.dtype == "i64" else x.with_dtype("i64")

    def reference(self, x: Any) -> Any:
        return x if x.dtype.kind == "f" else x.astype(np.int64)

    def decompose(self, b: Any, x: Any) -> Any:
        return x if x.type.is_float or x.type.dtype == "i64" else b.cast(x, dtype="i64")


class Collect(_Gathered):
    """In a metric: x of every example of the epoch, one after another along the first axis."""

    examples: ClassVar = [({}, ("f32[4]",)), ({}, ("i64[4, 2]",))]

    def infer(self, x: TensorType) -> TensorType:
        if x.rank == 0:
            raise OpError(
                "`collect` keeps something of every example, but got a single number",
                operand=0,
                label="not one for each example",
                hint="`total` adds up numbers of batches",
                code="DLS0541",
            )
        if any(isinstance(dim, Symbolic) for dim in x.shape[1:]):
            raise OpError(
                f"`collect` puts the examples of all batches together, and {x} has another size in each",
                operand=0,
                label="differs between batches",
                hint="reduce it to what all batches have: `mean(x, axis = 1)`, or a `total`",
                code="DLS0541",
            )
        return x


GATHER = (Total.spec_name(), Collect.spec_name())
"""The operators that lead from a batch to the whole epoch."""


class Ranks(Op):
    """The place of each number in rising order, counted from 1; equal ones share the mean of their places.

    The sum of ranks of one class gives the area under the ROC curve (Mann and Whitney 1947).
    """

    examples: ClassVar = [({}, ("f32[6]",)), ({}, ("i64[9] < 4",))]

    def infer(self, x: TensorType) -> TensorType:
        if x.rank != 1:
            raise OpError(
                f"`ranks` needs one axis, but got {x}",
                operand=0,
                label="not a list of numbers",
                code="DLS0302",
            )
        if not x.is_float and x.dtype != "i64":
            require_float(x, "`ranks`")
        return tensor("f32", x.shape)

    def reference(self, x: Any) -> Any:
        ordered = np.sort(x)
        below, up_to = (np.searchsorted(ordered, x, side=side) for side in ("left", "right"))
        return ((below + up_to + 1) / 2).astype(x.dtype if x.dtype.kind == "f" else np.float32)

    def decompose(self, b: Any, x: Any) -> Any:
        own, others = b.unsqueeze(x, axis=1), b.unsqueeze(x, axis=0)
        below = b.sum(b.cast(b.less(others, own), dtype="f32"), axis=1)
        equal = b.sum(b.cast(b.equal(others, own), dtype="f32"), axis=1)
        return below + (equal + 1.0) / 2.0

"""Elements chosen by tensors of indices, and the table of vectors that is learned."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PositiveInt

from dlspec.ir.op import Init, Op, OpError, WeightSpec, axis_index
from dlspec.ir.types import INTEGERS, TensorType, tensor
from dlspec.ops._axes import replaced
from dlspec.ops._numpy import np


def require_index(index: TensorType, what: str, operand: int = 1) -> None:
    """Raise `OpError` unless `index` holds whole numbers."""
    if index.dtype not in INTEGERS:
        raise OpError(
            f"{what} needs whole numbers, but got {index}",
            operand=operand,
            label=f"{index.dtype}, not whole numbers",
            hint='convert with `cast(x, "i64")`',
            code="DLS0304",
        )


class Embedding(Op):
    """weight[x]: one learned vector for each number. The weight is [num_embeddings, embedding_dim], N(0, 1).

    The vector of `padding_idx`, if given, starts at zero and gets no gradient.
    """

    stateful: ClassVar = True
    examples: ClassVar = [
        ({"num_embeddings": 7, "embedding_dim": 4}, ("i64[2, 5] < 7",)),
        ({"num_embeddings": 7, "embedding_dim": 4, "padding_idx": 0}, ("i64[2, 5] < 3",)),
        ({"num_embeddings": 3, "embedding_dim": 2}, ("i32[4] < 3",)),
    ]

    num_embeddings: PositiveInt
    embedding_dim: PositiveInt
    padding_idx: int | None = None
    weight_init: Init | None = None

    def resolve(self, x: TensorType) -> Op:
        return self if self.padding_idx is None else self.model_copy(update={"padding_idx": self._padding})

    def infer(self, x: TensorType) -> TensorType:
        require_index(x, "`Embedding`", 0)
        _ = self._padding
        return tensor("f32", (*x.shape, self.embedding_dim))

    @property
    def _padding(self) -> int | None:
        if self.padding_idx is None:
            return None
        if not -self.num_embeddings <= self.padding_idx < self.num_embeddings:
            raise OpError(
                f"`padding_idx` {self.padding_idx} is not one of the {self.num_embeddings} numbers",
                argument="padding_idx",
                label=f"from {-self.num_embeddings} to {self.num_embeddings - 1}",
                code="DLS0309",
            )
        return self.padding_idx % self.num_embeddings

    def weights(self, x: TensorType) -> tuple[WeightSpec, ...]:
        shape = (self.num_embeddings, self.embedding_dim)
        init = self.weight_init or Init(kind="normal", args=(1.0,), zero_row=self._padding)
        fan_out, fan_in = shape
        return (
            WeightSpec(name="weight", type=tensor("f32", shape), init=init, fan_in=fan_in, fan_out=fan_out),
        )

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"padded": self.padding_idx is not None}

    def reference(self, x: Any, weight: Any) -> Any:
        return weight[x]

    def decompose(self, b: Any, x: Any, weight: Any) -> Any:
        vectors = b.take(weight, x, axis=0)
        if self._padding is None:
            return vectors
        padded = b.unsqueeze(b.equal(x, self._padding), axis=-1)
        return b.where(padded, b.stop_gradient(vectors), vectors)


class Take(Op):
    """Slices of x along `axis`, as `index` names them: the axis is replaced by the axes of `index`."""

    operands: ClassVar = ("x", "index")
    examples: ClassVar = [
        ({"axis": 0}, ("f32[5, 3]", "i64[4] < 5")),
        ({"axis": -1}, ("f32[2, 3]", "i64[2, 2] < 3")),
        ({"axis": 1}, ("f32[2, 3, 4]", "i64[] < 3")),
    ]

    axis: int = 0

    def resolve(self, x: TensorType, index: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType, index: TensorType) -> TensorType:
        require_index(index, "the index of `take`")
        return x.with_shape(replaced(x.shape, axis_index(self.axis, x.rank), *index.shape))

    def facts(self, x: TensorType, index: TensorType) -> dict[str, Any]:
        return {"index_rank": index.rank}

    def reference(self, x: Any, index: Any) -> Any:
        return np.take(x, index, axis=self.axis)


class Pick(Op):
    """The given places of one axis, in their order: what `x[:, [0, 2, 5]]` means. They may repeat."""

    examples: ClassVar = [
        ({"places": [2, 0], "axis": 0}, ("f32[3, 4]",)),
        ({"places": [0, 0, -1], "axis": 1}, ("i64[2, 3]",)),
        ({"places": [1, 3], "axis": -1}, ("f32[2, 3, 2, 5]",)),
        ({"places": [2, 1], "axis": 1}, ("f32[2, 3, 4, 5]",)),
    ]

    places: tuple[int, ...]
    axis: int

    def resolve(self, x: TensorType) -> Op:
        axis = axis_index(self.axis, x.rank)
        length = x.shape[axis]
        if not isinstance(length, int):
            raise OpError(
                f"a list cannot index axis {axis} of {x}",
                operand=0,
                argument="places",
                label=f"its length is `{length}`",
                hint="give the axis a size where the input is declared",
                code="DLS0319",
            )
        wrong = [place for place in self.places if not -length <= place < length]
        if wrong:
            raise OpError(
                f"index {wrong[0]} lies outside axis {axis} of {x}",
                operand=0,
                argument="places",
                label=f"the axis has {length}",
                code="DLS0319",
            )
        return self.model_copy(update={"axis": axis, "places": tuple(p % length for p in self.places)})

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape(replaced(x.shape, axis_index(self.axis, x.rank), len(self.places)))

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`subscript` as Python writes it."""
        return {"subscript": ", ".join([*(":" for _ in range(self.axis)), str(list(self.places))])}

    def reference(self, x: Any) -> Any:
        return np.take(x, self.places, axis=self.axis)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.take(x, b.constant(list(self.places), dtype="i64"), axis=self.axis)


class Gather(Op):
    """Element for element: result[i, j] = x[i, index[i, j]] for axis 1 (PyTorch's `gather`)."""

    operands: ClassVar = ("x", "index")
    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 5]", "i64[2, 3] < 5")),
        ({"axis": 0}, ("f32[4, 3]", "i64[2, 3] < 4")),
        ({"axis": -1}, ("f32[2, 3, 4]", "i64[2, 3, 1] < 4")),
    ]

    axis: int

    def resolve(self, x: TensorType, index: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType, index: TensorType) -> TensorType:
        require_index(index, "the index of `gather`")
        _require_alike(x, index, axis_index(self.axis, x.rank), "gather")
        return x.with_shape(index.shape)

    def reference(self, x: Any, index: Any) -> Any:
        return np.take_along_axis(x, index, self.axis)


class ScatterAdd(Op):
    """x, to which `source` is added where `index` says: result[i, index[i, j]] += source[i, j] for axis 1.

    The same place may be named more than once.
    """

    operands: ClassVar = ("x", "index", "source")
    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 4]", "i64[2, 6] < 4", "f32[2, 6]")),
        ({"axis": 0}, ("f32[4, 3]", "i64[5, 3] < 4", "f32[5, 3]")),
    ]

    axis: int

    def resolve(self, x: TensorType, index: TensorType, source: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType, index: TensorType, source: TensorType) -> TensorType:
        require_index(index, "the index of `scatter_add`")
        _require_alike(x, index, axis_index(self.axis, x.rank), "scatter_add")
        if source.shape != index.shape or source.dtype != x.dtype:
            raise OpError(
                f"`scatter_add` of {source} at {index} into {x}: index and source need one shape, "
                "source and x one element type",
                operand=2,
            )
        return x

    def reference(self, x: Any, index: Any, source: Any) -> Any:
        places = list(np.indices(index.shape))
        places[self.axis] = index
        result = np.array(x)
        np.add.at(result, tuple(places), source)
        return result


def _require_alike(x: TensorType, index: TensorType, axis: int, what: str) -> None:
    if x.rank != index.rank or replaced(x.shape, axis) != replaced(index.shape, axis):
        raise OpError(
            f"`{what}` along axis {axis}: {x} and the index {index} differ on another axis",
            operand=1,
            label="does not fit",
        )

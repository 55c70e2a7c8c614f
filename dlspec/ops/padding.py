"""Tensors made larger: padding, repetition; and masks of triangles."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt

from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import TensorType
from dlspec.ops._axes import replaced
from dlspec.ops._numpy import np

Pair = tuple[NonNegativeInt, NonNegativeInt]


class Pad(Op):
    """x with `(before, after)` more elements on each of its last axes, in the order of the axes.

    mode: `constant` (value), `reflect` (mirrored without the edge), `edge` (repeated), `wrap` (from the
    other end).
    """

    examples: ClassVar = [
        ({"padding": [[1, 2]]}, ("f32[2, 3]",)),
        ({"padding": [[1, 0], [0, 2]], "value": -1.5}, ("f32[2, 3]",)),
        ({"padding": [[1, 2]], "mode": "reflect"}, ("f32[2, 3]",)),
        ({"padding": [[1, 1], [2, 0]], "mode": "edge"}, ("f32[2, 2, 3]",)),
        ({"padding": [[3, 1]], "mode": "wrap"}, ("f32[2, 3]",)),
        ({"padding": [[1, 1], [2, 0]], "mode": "edge"}, ("f32[2, 2, 3, 3]",)),
        ({"padding": [[1, 0], [0, 2]], "mode": "reflect"}, ("f32[2, 2, 3, 3]",)),
        ({"padding": [[1, 2]], "mode": "wrap"}, ("f32[2, 2, 3]",)),
        ({"padding": [[1, 2]], "mode": "edge"}, ("i64[2, 2, 3]",)),
        ({"padding": [[1, 1]]}, ("i64[2, 3]",)),
        ({"padding": [[0, 0], [0, 0]]}, ("f32[2, 3]",)),
        ({"padding": [[2, 2], [0, 0]]}, ("f32[2, 3, 4]",)),
        ({"padding": [[1, 1], [2, 2], [0, 0]]}, ("f32[2, 3, 4, 2]",)),
        ({"padding": [[1, 1], [0, 0], [1, 1], [0, 0]]}, ("f32[2, 2, 3, 2, 2]",)),
    ]

    padding: tuple[Pair, ...]
    mode: Literal["constant", "reflect", "edge", "wrap"] = "constant"
    value: int | float = 0

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"padding": self._pairs(x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        pairs = self._pairs(x.rank)
        for axis, (before, after) in enumerate(pairs):
            length, needed = x.shape[axis], max(before, after) + (self.mode == "reflect")
            borrows = self.mode != "constant" and before + after > 0
            if borrows and isinstance(length, int) and length < (1 if self.mode == "edge" else needed):
                raise OpError(
                    f"`pad` by {before} and {after} in mode {self.mode} needs more than "
                    f"the {length} elements of axis {axis} of {x}",
                    operand=0,
                    argument="padding",
                    label=f"more than the {length} there are",
                    code="DLS0321",
                )
        return x.with_shape(
            [dim + before + after for dim, (before, after) in zip(x.shape, pairs, strict=True)]
        )

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`last_first`: PyTorch's order, from the last padded axis back; `begins_ends`: ONNX's.

        `framed`: a sequence, image or volume with channels is padded around, which PyTorch can in all modes.
        `window`: one that is channels last gets as many zeros on either side, `symmetric_padding` for each axis.
        """
        pairs = self._pairs(x.rank)
        used = [axis for axis, pair in enumerate(pairs) if pair != (0, 0)]
        last_first = [n for pair in reversed(pairs[min(used, default=0) :]) for n in pair]
        begins_ends = [*(low for low, _ in pairs), *(high for _, high in pairs)]
        framed = len(last_first) in (2, 4, 6) and x.rank - len(last_first) // 2 in (1, 2) and x.is_float
        equal = pairs[0] == pairs[-1] == (0, 0) and all(low == high for low, high in pairs)
        return {
            "last_first": tuple(last_first),
            "begins_ends": tuple(begins_ends),
            "framed": framed,
            "window": 3 <= x.rank <= 5 and x.is_float and not self.value and bool(used) and equal,
            "symmetric_padding": tuple(low for low, _ in pairs[1:-1]),
        }

    def _pairs(self, rank: int) -> tuple[Pair, ...]:
        if len(self.padding) > rank:
            raise OpError(
                f"`pad` names {len(self.padding)} axes of a tensor with {rank}",
                operand=0,
                argument="padding",
                label=f"at most {rank}",
                code="DLS0303",
            )
        return ((0, 0),) * (rank - len(self.padding)) + tuple(self.padding)

    def reference(self, x: Any) -> Any:
        more = {"constant_values": np.asarray(self.value).astype(x.dtype)} if self.mode == "constant" else {}
        return np.pad(x, self._pairs(x.ndim), mode=self.mode, **more)

    def decompose(self, b: Any, x: Any) -> Any:
        if self.mode == "constant":
            return NotImplemented
        for axis, (before, after) in enumerate(self._pairs(x.type.rank)):
            if before + after > 0:
                x = self._borrow(b, x, axis, before, after)
        return x if any(map(any, self.padding)) else b.slice(x, index=("...",))

    def _borrow(self, b: Any, x: Any, axis: int, before: int, after: int) -> Any:
        length = x.type.shape[axis]

        def part(start: Any, stop: Any) -> Any:
            return b.slice(x, index=(*(slice(None),) * axis, slice(start, stop)))

        if self.mode == "reflect":
            left = b.flip(part(1, 1 + before), axis=axis)
            right = b.flip(part(length - 1 - after, length - 1), axis=axis)
        elif self.mode == "edge":
            left = b.expand(part(0, 1), shape=replaced(x.type.shape, axis, before))
            right = b.expand(part(length - 1, length), shape=replaced(x.type.shape, axis, after))
        else:
            left, right = part(length - before, length), part(0, after)
        pieces = [left] * (before > 0) + [x] + [right] * (after > 0)
        return b.concat(*pieces, axis=axis)


class Tile(Op):
    """The whole of x repeated along its last axes, `repeats` times each, in the order of the axes."""

    examples: ClassVar = [
        ({"repeats": [2, 1]}, ("f32[2, 3]",)),
        ({"repeats": [3]}, ("f32[2, 3]",)),
        ({"repeats": [2, 2, 2]}, ("i64[1, 2, 3]",)),
    ]

    repeats: tuple[PositiveInt, ...]

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"repeats": self._repeats(x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape([dim * n for dim, n in zip(x.shape, self._repeats(x.rank), strict=True)])

    def _repeats(self, rank: int) -> tuple[int, ...]:
        if len(self.repeats) > rank:
            raise OpError(
                f"`tile` names {len(self.repeats)} axes of a tensor with {rank}",
                operand=0,
                argument="repeats",
                label=f"at most {rank}",
                code="DLS0303",
            )
        return (1,) * (rank - len(self.repeats)) + tuple(self.repeats)

    def reference(self, x: Any) -> Any:
        return np.tile(x, self.repeats)

    def decompose(self, b: Any, x: Any) -> Any:
        result = self.infer(x.type)
        repeats = self._repeats(x.type.rank)
        apart = [d for dim in x.type.shape for d in (1, dim)]
        wide = [d for dim, n in zip(x.type.shape, repeats, strict=True) for d in (n, dim)]
        return b.reshape(b.expand(b.reshape(x, shape=apart), shape=wide), shape=result.shape)


class RepeatInterleave(Op):
    """Each slice of x along `axis` repeated `repeats` times: a, a, b, b, ..."""

    examples: ClassVar = [
        ({"repeats": 2, "axis": 1}, ("f32[2, 3]",)),
        ({"repeats": 3, "axis": -2}, ("f32[2, 3]",)),
    ]

    repeats: PositiveInt
    axis: int

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        axis = axis_index(self.axis, x.rank)
        return x.with_shape(replaced(x.shape, axis, x.shape[axis] * self.repeats))

    def reference(self, x: Any) -> Any:
        return np.repeat(x, self.repeats, axis=self.axis)

    def decompose(self, b: Any, x: Any) -> Any:
        axis, shape = axis_index(self.axis, x.type.rank), x.type.shape
        wide = b.expand(
            b.reshape(x, shape=replaced(shape, axis, shape[axis], 1)),
            shape=replaced(shape, axis, shape[axis], self.repeats),
        )
        return b.reshape(wide, shape=self.infer(x.type).shape)


class Tril(Op):
    """x with zeros above the given diagonal of its last two axes (0: the main one, positive: above)."""

    examples: ClassVar = [
        ({}, ("f32[3, 4]",)),
        ({"diagonal": 1}, ("f32[2, 3, 3]",)),
        ({"diagonal": -1}, ("i64[3, 3]",)),
    ]

    diagonal: int = 0

    def infer(self, x: TensorType) -> TensorType:
        if x.rank < 2:
            raise OpError(
                f"`{self.spec_name()}` needs two axes, but got {x}",
                operand=0,
                label="needs two axes",
                code="DLS0302",
            )
        return x

    def reference(self, x: Any) -> Any:
        return np.tril(x, self.diagonal)

    def decompose(self, b: Any, x: Any) -> Any:
        row, column = self._grid(b, x)
        keep = b.less_equal(column, row + self.diagonal)
        return b.where(keep, x, b.constant(0, like=x))

    def _grid(self, b: Any, x: Any) -> tuple[Any, Any]:
        rows, columns = x.type.shape[-2:]
        return b.unsqueeze(b.arange(start=0, stop=rows), axis=1), b.arange(start=0, stop=columns)


class Triu(Tril):
    """x with zeros below the given diagonal of its last two axes (0: the main one, positive: above)."""

    def reference(self, x: Any) -> Any:
        return np.triu(x, self.diagonal)

    def decompose(self, b: Any, x: Any) -> Any:
        row, column = self._grid(b, x)
        keep = b.greater_equal(column, row + self.diagonal)
        return b.where(keep, x, b.constant(0, like=x))

"""The same elements in another shape or order of axes."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.dims import Dim, exact_quotient, product
from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import Shape, TensorType, tensor
from dlspec.ops._numpy import np


class Reshape(Op):
    """The same elements, row by row, in another shape; one -1 stands for what is left."""

    examples: ClassVar = [
        ({"shape": [3, 4]}, ("f32[2, 6]",)),
        ({"shape": [2, -1]}, ("f32[2, 3, 4]",)),
        ({"shape": []}, ("f32[1, 1]",)),
        ({"shape": [-1]}, ("i64[2, 3]",)),
        ({"shape": [0, 3]}, ("f32[3, 0]",)),
    ]

    shape: tuple[Dim, ...]

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"shape": self._full(x)})

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape(self._full(x))

    def facts(self, x: TensorType) -> dict[str, Any]:
        """`free_shape`: -1 in place of the only symbolic size, where there is one."""
        symbolic = [i for i, dim in enumerate(self.shape) if not isinstance(dim, int)]
        free = len(symbolic) == 1 and all(self.shape)
        shape = tuple(-1 if free and i == symbolic[0] else dim for i, dim in enumerate(self.shape))
        return {"rank": len(self.shape), "free_shape": shape}

    def _full(self, x: TensorType) -> Shape:
        holes = [i for i, dim in enumerate(self.shape) if dim == -1]
        if len(holes) > 1:
            raise OpError(
                f"only one size of a shape may be -1, not {len(holes)}",
                argument="shape",
                label=f"{len(holes)} times -1",
                code="DLS0320",
            )
        below = [dim for dim in self.shape if isinstance(dim, int) and dim < -1]
        if below:
            raise OpError(
                f"{below[0]} is not a size",
                argument="shape",
                label="sizes are 0 or more, or one -1",
                code="DLS0320",
            )
        given = product(dim for dim in self.shape if dim != -1)
        if not holes:
            if given != x.size:
                raise self._misfit(x, f"has {x.size} elements, the new shape {given}")
            return self.shape
        if given == 0:
            raise self._misfit(x, "leaves -1 open beside a size of 0")
        if x.size % given != 0:
            raise self._misfit(x, f"has {x.size} elements, which is not a multiple of {given}")
        return tuple(exact_quotient(x.size, given) if dim == -1 else dim for dim in self.shape)

    def _misfit(self, x: TensorType, why: str) -> OpError:
        wanted = ", ".join(map(str, self.shape))
        return OpError(
            f"cannot reshape {x} to [{wanted}]: it {why}",
            operand=0,
            argument="shape",
            label=f"not {x.size} elements",
            code="DLS0320",
        )

    def reference(self, x: Any) -> Any:
        return np.reshape(x, self.shape)


class Flatten(Op):
    """All axes from `start` to `end` as one; by default all but the batch axis."""

    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]",)),
        ({"start": 0}, ("f32[2, 3]",)),
        ({"start": 1, "end": 2}, ("f32[2, 3, 4, 5]",)),
        ({}, ("f32[2, 3]",)),
    ]

    start: int = 1
    end: int = -1

    def resolve(self, x: TensorType) -> Op:
        start, end = self._span(x)
        return self.model_copy(update={"start": start, "end": end})

    def infer(self, x: TensorType) -> TensorType:
        start, end = self._span(x)
        return x.with_shape((*x.shape[:start], product(x.shape[start : end + 1]), *x.shape[end + 1 :]))

    def facts(self, x: TensorType) -> dict[str, Any]:
        start, end = self._span(x)
        return {"to_end": end >= x.rank - 1, "rank": x.rank, "size": product(x.shape[start : end + 1])}

    def _span(self, x: TensorType) -> tuple[int, int]:
        start, end = axis_index(self.start, x.rank, "start"), axis_index(self.end, x.rank, "end")
        if start > end:
            raise OpError(
                f"`flatten` from axis {start} to axis {end} of {x} has nothing to join",
                operand=0,
                argument="end",
                label=f"comes before axis {start}",
                code="DLS0303",
            )
        return start, end

    def reference(self, x: Any) -> Any:
        return np.reshape(x, self.infer(tensor("f32", x.shape)).shape)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.reshape(x, shape=self.infer(x.type).shape)


class Transpose(Op):
    """The axes in the order `axes`; without it the last two are swapped."""

    examples: ClassVar = [
        ({}, ("f32[2, 3, 4]",)),
        ({"axes": [2, 0, 1]}, ("f32[2, 3, 4]",)),
        ({"axes": [0, -1, 1]}, ("f32[2, 3, 4]",)),
        ({}, ("i64[2, 3]",)),
    ]

    axes: tuple[int, ...] | None = None

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axes": self._order(x)})

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape([x.shape[axis] for axis in self._order(x)])

    def facts(self, x: TensorType) -> dict[str, Any]:
        order = self._order(x)
        moved = [axis for axis, source in enumerate(order) if axis != source]
        return {
            "rank": x.rank,
            "swaps": tuple(moved) if len(moved) == 2 else None,
            "swaps_last": moved == [x.rank - 2, x.rank - 1],
        }

    def _order(self, x: TensorType) -> tuple[int, ...]:
        if self.axes is None:
            if x.rank < 2:
                raise OpError(
                    f"`transpose` swaps the last two axes, but {x} has {x.rank}",
                    operand=0,
                    label="needs two axes",
                    code="DLS0302",
                )
            return (*range(x.rank - 2), x.rank - 1, x.rank - 2)
        order = tuple(axis_index(axis, x.rank, "axes") for axis in self.axes)
        if sorted(order) != list(range(x.rank)):
            raise OpError(
                f"`transpose` must name each of the {x.rank} axes of {x} once, but got {list(self.axes)}",
                operand=0,
                argument="axes",
                label="not each axis once",
                code="DLS0303",
            )
        return order

    def reference(self, x: Any) -> Any:
        return np.transpose(x, self.axes)


class Swapaxes(Op):
    """Two axes exchanged."""

    examples: ClassVar = [
        ({"axis1": 0, "axis2": -1}, ("f32[2, 3, 4]",)),
        ({"axis1": 1, "axis2": 1}, ("f32[2, 3]",)),
    ]

    axis1: int
    axis2: int

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(
            update={
                "axis1": axis_index(self.axis1, x.rank, "axis1"),
                "axis2": axis_index(self.axis2, x.rank, "axis2"),
            }
        )

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape([x.shape[axis] for axis in self._order(x.rank)])

    def _order(self, rank: int) -> tuple[int, ...]:
        order = list(range(rank))
        first, second = axis_index(self.axis1, rank, "axis1"), axis_index(self.axis2, rank, "axis2")
        order[first], order[second] = second, first
        return tuple(order)

    def reference(self, x: Any) -> Any:
        return np.swapaxes(x, self.axis1, self.axis2)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.transpose(x, axes=self._order(x.type.rank))

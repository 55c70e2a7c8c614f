"""Several tensors from one, and one from several."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import PositiveInt

from dlspec.ir.dims import Dim, exact_quotient
from dlspec.ir.op import Op, OpError, axis_index
from dlspec.ir.types import TensorType, tensor
from dlspec.ops._axes import known, replaced
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import promote


def _require_some(xs: tuple[TensorType, ...], what: str) -> None:
    if not xs:
        raise OpError(f"`{what}` needs at least one tensor", label="none is given", code="DLS0208")


def _difference(first: TensorType, x: TensorType, axis: int) -> str:
    """What keeps two tensors from being joined along `axis`."""
    if first.rank != x.rank:
        return f"have {first.rank} and {x.rank} axes"
    pairs = enumerate(zip(first.shape, x.shape, strict=True))
    other, (a, b) = next((i, pair) for i, pair in pairs if i != axis and pair[0] != pair[1])
    return f"differ on axis {other}: {a} against {b}"


class Concat(Op):
    """Tensors one after another along `axis`; their other axes agree."""

    operands: ClassVar = ("*xs",)
    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 3]", "f32[2, 4]")),
        ({"axis": 0}, ("f32[2, 3]", "f32[1, 3]", "f32[2, 3]")),
        ({}, ("i64[2]", "i64[3]")),
        ({"axis": -2}, ("f32[2, 3]",)),
    ]

    axis: int = -1

    def resolve(self, *xs: TensorType) -> Op:
        _require_some(xs, "concat")
        return self.model_copy(update={"axis": axis_index(self.axis, xs[0].rank)})

    def infer(self, *xs: TensorType) -> TensorType:
        _require_some(xs, "concat")
        first, axis = xs[0], axis_index(self.axis, xs[0].rank)
        total: Dim = first.shape[axis]
        for i, x in enumerate(xs[1:], 1):
            if x.rank != first.rank or replaced(x.shape, axis) != replaced(first.shape, axis):
                raise OpError(
                    f"`concat` along axis {axis}: {first} and {x} {_difference(first, x, axis)}",
                    operand=i,
                    label=_difference(first, x, axis),
                    hint="only the axis of `concat` may differ",
                    code="DLS0307",
                )
            total = total + x.shape[axis]
        return tensor(promote(*xs), replaced(first.shape, axis, total))

    def reference(self, *xs: Any) -> Any:
        return np.concatenate(xs, axis=self.axis)


class Stack(Op):
    """Tensors of one shape side by side along a new axis."""

    operands: ClassVar = ("*xs",)
    examples: ClassVar = [
        ({}, ("f32[2, 3]", "f32[2, 3]")),
        ({"axis": -1}, ("f32[2, 3]", "f32[2, 3]", "f32[2, 3]")),
        ({}, ("f32[]", "f32[]")),
    ]

    axis: int = 0

    def resolve(self, *xs: TensorType) -> Op:
        _require_some(xs, "stack")
        return self.model_copy(update={"axis": axis_index(self.axis, xs[0].rank + 1)})

    def infer(self, *xs: TensorType) -> TensorType:
        _require_some(xs, "stack")
        axis, shape = axis_index(self.axis, xs[0].rank + 1), xs[0].shape
        for i, x in enumerate(xs):
            if x.shape != shape:
                raise OpError(
                    f"`stack` needs one shape, but got {xs[0]} and {x}",
                    operand=i,
                    label=f"not like {xs[0]}",
                    hint="`concat` joins along an axis that may differ",
                    code="DLS0307",
                )
        return tensor(promote(*xs), (*shape[:axis], len(xs), *shape[axis:]))

    def reference(self, *xs: Any) -> Any:
        return np.stack(xs, axis=self.axis)

    def decompose(self, b: Any, *xs: Any) -> Any:
        return b.concat(*(b.unsqueeze(x, axis=self.axis) for x in xs), axis=self.axis)


class Split(Op):
    """Pieces of x along `axis`: of the given `sizes`, or `parts` equal ones."""

    examples: ClassVar = [
        ({"sizes": [1, 3]}, ("f32[2, 4]",)),
        ({"parts": 2, "axis": 0}, ("f32[4, 3]",)),
        ({"sizes": [2, 0, 1], "axis": 1}, ("f32[2, 3, 2]",)),
    ]

    sizes: tuple[Dim, ...] | None = None
    parts: PositiveInt | None = None
    axis: int = -1

    def resolve(self, x: TensorType) -> Op:
        sizes, axis = self._sizes(x), axis_index(self.axis, x.rank)
        return self.model_copy(update={"sizes": sizes, "parts": self.parts, "axis": axis})

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        axis = axis_index(self.axis, x.rank)
        return tuple(x.with_shape(replaced(x.shape, axis, size)) for size in self._sizes(x))

    def facts(self, x: TensorType) -> dict[str, Any]:
        sizes = self._sizes(x)
        equal = len(set(sizes)) == 1
        return {"count": len(sizes), "equal": equal, "size": sizes[0] if equal else None}

    def _sizes(self, x: TensorType) -> tuple[Dim, ...]:
        length = x.shape[axis_index(self.axis, x.rank)]
        if self.sizes is not None:
            total: Dim = sum(self.sizes[1:], start=self.sizes[0]) if self.sizes else 0
            if total != length:
                raise OpError(
                    f"`split` into sizes that make {total}, but axis {self.axis} of {x} has {length}",
                    operand=0,
                    argument="sizes",
                    label=f"{total}, not {length}",
                    code="DLS0314",
                )
            return self.sizes
        if self.parts is None:
            raise OpError(
                "`split` needs its argument `sizes` or `parts`", label="not given here", code="DLS0206"
            )
        if length % self.parts != 0:
            raise OpError(
                f"axis {self.axis} of {x} does not split into {self.parts} equal parts",
                operand=0,
                argument="parts",
                label=f"{length} is no multiple of {self.parts}",
                code="DLS0314",
            )
        return (exact_quotient(length, self.parts),) * self.parts

    def reference(self, x: Any) -> Any:
        length = x.shape[self.axis]
        sizes = self.sizes if self.sizes is not None else (length // (self.parts or 1),) * (self.parts or 1)
        return tuple(np.split(x, np.cumsum(sizes)[:-1], axis=self.axis))

    def decompose(self, b: Any, x: Any) -> Any:
        axis = axis_index(self.axis, x.type.rank)
        pieces: list[Any] = []
        start: Dim = 0
        for size in self._sizes(x.type):
            index = (slice(None),) * axis + (slice(start, start + size),)
            pieces.append(b.slice(x, index=index))
            start = start + size
        return tuple(pieces)


class Chunk(Op):
    """`chunks` equal pieces of x along `axis`."""

    examples: ClassVar = [({"chunks": 2}, ("f32[3, 4]",)), ({"chunks": 3, "axis": 0}, ("f32[3, 4]",))]

    chunks: PositiveInt
    axis: int = -1

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        return Split(parts=self.chunks, axis=self.axis).infer(x)

    def reference(self, x: Any) -> Any:
        return tuple(np.split(x, self.chunks, axis=self.axis))

    def decompose(self, b: Any, x: Any) -> Any:
        pieces = b.split(x, parts=self.chunks, axis=self.axis)
        return tuple(pieces) if self.chunks > 1 else (pieces,)


class Unstack(Op):
    """The slices of x along `axis`, one result each; the axis goes."""

    examples: ClassVar = [({}, ("f32[3, 2]",)), ({"axis": -1}, ("f32[2, 3, 2]",)), ({}, ("f32[1, 2]",))]

    axis: int = 0

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": axis_index(self.axis, x.rank)})

    def infer(self, x: TensorType) -> tuple[TensorType, ...]:
        axis = axis_index(self.axis, x.rank)
        count = known(x.shape[axis], f"the length of axis {axis}, which `unstack` takes apart,")
        return (x.with_shape(replaced(x.shape, axis)),) * count

    def facts(self, x: TensorType) -> dict[str, Any]:
        return {"count": x.shape[axis_index(self.axis, x.rank)]}

    def reference(self, x: Any) -> Any:
        return tuple(np.moveaxis(x, self.axis, 0))

    def decompose(self, b: Any, x: Any) -> Any:
        axis = axis_index(self.axis, x.type.rank)
        return tuple(b.slice(x, index=(slice(None),) * axis + (i,)) for i in range(x.type.shape[axis]))

"""Reductions over one, several or all axes."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.dims import Dim, product
from dlspec.ir.op import Op, OpError
from dlspec.ir.types import TensorType
from dlspec.ops._axes import Axes, all_axes, size_value
from dlspec.ops._numpy import np
from dlspec.ops.dtypes import require_float
from dlspec.ops.logic import require_bool

AXES_EXAMPLES: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, ("f32[2, 3, 4]",)),
    ({"axis": -1}, ("f32[2, 3, 4]",)),
    ({"axis": [0, 2], "keepdims": True}, ("f32[2, 3, 4]",)),
    ({"axis": 1, "keepdims": True}, ("f32[2, 3]",)),
]


class _Reduction(Op):
    """Base: reduces `axis` (one, a list, or all when left out); `keepdims` leaves them with length 1."""

    examples: ClassVar = AXES_EXAMPLES

    axis: Axes = None
    keepdims: bool = False

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": all_axes(self.axis, x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        axes = all_axes(self.axis, x.rank)
        self.check(x, axes)
        if self.keepdims:
            return x.with_shape([1 if i in axes else dim for i, dim in enumerate(x.shape)])
        return x.with_shape([dim for i, dim in enumerate(x.shape) if i not in axes])

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        """Raise `OpError` on an operand that cannot be reduced so."""

    def facts(self, x: TensorType) -> dict[str, Any]:
        axes = all_axes(self.axis, x.rank)
        return {"all": len(axes) == x.rank, "single_axis": axes[0] if len(axes) == 1 else None, "axes": axes}

    def count(self, x: TensorType) -> Dim:
        """How many elements meet in one result."""
        return product(x.shape[axis] for axis in all_axes(self.axis, x.rank))

    @property
    def where(self) -> dict[str, Any]:
        """The arguments that NumPy and `Builder` share."""
        axis = self.axis if self.axis is None or isinstance(self.axis, int) else tuple(self.axis)
        return {"axis": axis, "keepdims": self.keepdims}


class _NumberReduction(_Reduction):
    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        if x.dtype == "bool":
            raise OpError(
                f"`{self.spec_name()}` needs numbers, but got {x}",
                operand=0,
                label="not for bool",
                hint='convert with `cast(x, "i64")`, or use `any` or `all`',
                code="DLS0304",
            )


class Sum(_NumberReduction):
    """The sum."""

    examples: ClassVar = [*AXES_EXAMPLES, ({"axis": 1}, ("i64[2, 3]",)), ({"axis": []}, ("f32[2]",))]

    def reference(self, x: Any) -> Any:
        return np.sum(x, **self.where, dtype=x.dtype)


class Prod(_NumberReduction):
    """The product."""

    def reference(self, x: Any) -> Any:
        return np.prod(x, **self.where, dtype=x.dtype)


class _Extremum(_NumberReduction):
    examples: ClassVar = [*AXES_EXAMPLES, ({"axis": 1}, ("i64[2, 3]",))]

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        super().check(x, axes)
        empty = [axis for axis in axes if x.shape[axis] == 0]
        if empty:
            raise OpError(
                f"`{self.spec_name()}` over axis {empty[0]} of {x}, which is empty",
                operand=0,
                label="nothing to choose from",
                code="DLS0321",
            )


class Max(_Extremum):
    """The greatest element; on ties the gradient is split evenly (PyTorch's `amax`)."""

    def reference(self, x: Any) -> Any:
        return np.max(x, **self.where)


class Min(_Extremum):
    """The smallest element; on ties the gradient is split evenly (PyTorch's `amin`)."""

    def reference(self, x: Any) -> Any:
        return np.min(x, **self.where)

    def decompose(self, b: Any, x: Any) -> Any:
        return NotImplemented if x.type.dtype == "u8" else -b.max(-x, **self.where)


class Mean(_Reduction):
    """The sum over the number of elements."""

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        require_float(x, "`mean`")

    def reference(self, x: Any) -> Any:
        return np.mean(x, **self.where)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.sum(x, **self.where) / size_value(b, self.count(x.type), x)


class Any_(_Reduction):
    """Whether any element is true."""

    examples: ClassVar = [({}, ("bool[2, 3]",)), ({"axis": 1, "keepdims": True}, ("bool[4, 2]",))]

    @classmethod
    def spec_name(cls) -> str:
        return "any"  # the class is not `Any`, which Python's typing owns

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        require_bool(x, "`any`")

    def reference(self, x: Any) -> Any:
        return np.any(x, **self.where)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.greater(b.sum(b.cast(x, dtype="i64"), **self.where), 0)


class All(_Reduction):
    """Whether all elements are true."""

    examples: ClassVar = Any_.examples

    def check(self, x: TensorType, axes: tuple[int, ...]) -> None:
        require_bool(x, "`all`")

    def reference(self, x: Any) -> Any:
        return np.all(x, **self.where)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.logical_not(b.any(b.logical_not(x), **self.where))

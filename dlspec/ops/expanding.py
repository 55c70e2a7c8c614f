"""Axes of length 1, dropped, added and stretched."""

from __future__ import annotations

from typing import Any, ClassVar

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op, OpError, broadcast
from dlspec.ir.types import Shape, TensorType
from dlspec.ops._axes import Axes, all_axes
from dlspec.ops._numpy import np


class Squeeze(Op):
    """Without the axes of length 1 in `axis` (one or a list; all of length 1 when left out)."""

    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 1, 3]",)),
        ({}, ("f32[1, 2, 1]",)),
        ({"axis": [0, -1]}, ("f32[1, 2, 1]",)),
    ]

    axis: Axes = None

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": self._axes(x)})

    def infer(self, x: TensorType) -> TensorType:
        axes = self._axes(x)
        return x.with_shape([dim for i, dim in enumerate(x.shape) if i not in axes])

    def facts(self, x: TensorType) -> dict[str, Any]:
        axes = self._axes(x)
        return {"single_axis": axes[0] if len(axes) == 1 else None}

    def _axes(self, x: TensorType) -> tuple[int, ...]:
        if self.axis is None:
            return tuple(i for i, dim in enumerate(x.shape) if dim == 1)
        axes = all_axes(self.axis, x.rank)
        for axis in axes:
            if x.shape[axis] != 1:
                raise OpError(
                    f"`squeeze` drops axes of length 1, but axis {axis} of {x} has {x.shape[axis]}",
                    operand=0,
                    argument="axis",
                    label=f"{x.shape[axis]}, not 1",
                    hint="use an index `x[:, 0]` to choose one of several, or `reshape`",
                    code="DLS0322",
                )
        return axes

    def reference(self, x: Any) -> Any:
        return np.squeeze(x, axis=self.axis)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.reshape(x, shape=self.infer(x.type).shape)


class Unsqueeze(Op):
    """With new axes of length 1 at the places `axis` (one or a list) of the result."""

    examples: ClassVar = [
        ({"axis": 1}, ("f32[2, 3]",)),
        ({"axis": -1}, ("f32[2, 3]",)),
        ({"axis": [0, 3]}, ("f32[2, 3]",)),
        ({"axis": 0}, ("i64[]",)),
    ]

    axis: int | tuple[int, ...]

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"axis": self._axes(x.rank)})

    def infer(self, x: TensorType) -> TensorType:
        axes = self._axes(x.rank)
        old = iter(x.shape)
        return x.with_shape([1 if i in axes else next(old) for i in range(x.rank + len(axes))])

    def facts(self, x: TensorType) -> dict[str, Any]:
        axes = self._axes(x.rank)
        return {"single_axis": axes[0] if len(axes) == 1 else None}

    def _axes(self, rank: int) -> tuple[int, ...]:
        count = 1 if isinstance(self.axis, int) else len(self.axis)
        return all_axes(self.axis, rank + count)

    def reference(self, x: Any) -> Any:
        return np.expand_dims(x, self.axis)

    def decompose(self, b: Any, x: Any) -> Any:
        return b.reshape(x, shape=self.infer(x.type).shape)


class Expand(Op):
    """x repeated along axes of length 1 (and new leading axes) up to `shape`; -1 keeps an axis."""

    examples: ClassVar = [
        ({"shape": [2, 3, 4]}, ("f32[3, 1]",)),
        ({"shape": [5, -1]}, ("f32[1, 3]",)),
        ({"shape": [2, 2]}, ("i64[]",)),
    ]

    shape: tuple[Dim, ...]

    def resolve(self, x: TensorType) -> Op:
        return self.model_copy(update={"shape": self._full(x)})

    def infer(self, x: TensorType) -> TensorType:
        return x.with_shape(self._full(x))

    def _full(self, x: TensorType) -> Shape:
        new = len(self.shape) - x.rank
        if new < 0:
            raise OpError(
                f"`{self.spec_name()}` to {len(self.shape)} axes of {x}, which has more",
                operand=0,
                argument="shape",
                label=f"fewer than {x.rank} axes",
                code="DLS0302",
            )
        shape = tuple(x.shape[i - new] if dim == -1 and i >= new else dim for i, dim in enumerate(self.shape))
        if -1 in shape or broadcast(x.shape, shape) != shape:
            wanted = ", ".join(map(str, self.shape))
            raise OpError(
                f"{x} cannot be expanded to [{wanted}]",
                operand=0,
                argument="shape",
                label="only axes of length 1 grow",
            )
        return shape

    def reference(self, x: Any) -> Any:
        return np.broadcast_to(x, self.shape)


class BroadcastTo(Expand):
    """x repeated along axes of length 1 (and new leading axes) up to `shape`: NumPy's name of `expand`."""

    def decompose(self, b: Any, x: Any) -> Any:
        return b.expand(x, shape=self._full(x.type))

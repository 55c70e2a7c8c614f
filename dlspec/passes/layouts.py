"""Two layouts of a tensor's axes, and operators seen through them.

The language is channels first: [N, C, H, W]. In channels last the channel axis is moved to the end:
[N, H, W, C]. Of tensors with fewer than three axes both are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Literal

from dlspec.ir.dims import Dim
from dlspec.ir.op import Op
from dlspec.ir.types import TensorType
from dlspec.ops._numpy import np

Layout = Literal["first", "last"]
FIRST: Layout = "first"
LAST: Layout = "last"


def order(layout: Layout, rank: int) -> tuple[int, ...]:
    """Which axis of the language each axis of the layout is.

    >>> order("last", 4)
    (0, 2, 3, 1)
    """
    if layout == FIRST or rank < 3:
        return tuple(range(rank))
    return (0, *range(2, rank), 1)


def back(layout: Layout, rank: int) -> tuple[int, ...]:
    """Where each axis of the language is in the layout: the inverse of `order`."""
    places = order(layout, rank)
    return tuple(places.index(axis) for axis in range(rank))


def placed(layout: Layout, items: Sequence[Any]) -> tuple[Any, ...]:
    """One item for each axis of the language, in the order of the layout."""
    return tuple(items[axis] for axis in order(layout, len(items)))


def typed(layout: Layout, kind: TensorType) -> TensorType:
    """The type of a tensor of the language's type `kind`, in the layout."""
    return kind if layout == FIRST or kind.rank < 3 else kind.with_shape(placed(layout, kind.shape))


def keeps_order(axes: Sequence[int], shape: Sequence[Dim]) -> bool:
    """Whether the transposition by `axes` of a tensor of this shape moves nothing in memory."""
    long = [axis for axis in axes if shape[axis] != 1]
    return long == sorted(long)


class ChannelsLast(Op):
    """Mixed into an operator: the same one on a channels-last first operand, with channels-last results.

    Fields and weights are the operator's own, and every answer is its answer, translated.
    """

    plain: ClassVar[type[Op]]

    def _plain(self) -> Op:
        return _copied(self, self.plain)

    def resolve(self, *types: Any) -> Op:
        return self

    def infer(self, *types: Any) -> Any:
        found = self._plain().infer(*_language(types))
        return _translate(found, lambda kind: typed(LAST, kind))

    def weights(self, *types: Any) -> Any:
        return self._plain().weights(*_language(types))

    def macs(self, *types: Any) -> Any:
        return self._plain().macs(*_language(types))

    def facts(self, *types: Any) -> dict[str, Any]:
        return self._plain().facts(*_language(types))

    def reference(self, *arrays: Any, **weights: Any) -> Any:
        first, *rest = arrays
        found = self._plain().reference(np.transpose(first, back(LAST, first.ndim)), *rest, **weights)
        return _translate(found, lambda array: np.transpose(array, order(LAST, array.ndim)))

    def decompose(self, b: Any, *values: Any, **weights: Any) -> Any:
        raise AssertionError("the layout is chosen after lowering")


def on_last(op: Op) -> Op:
    """`op` on channels-last tensors."""
    return _copied(op, _class(type(op)))


def _copied(op: Op, cls: type[Op]) -> Op:
    return cls.model_construct(**{name: getattr(op, name) for name in type(op).model_fields})


@cache
def _class(cls: type[Op]) -> type[Op]:
    return type(
        cls.__name__, (ChannelsLast, cls), {"__module__": __name__, "__doc__": cls.__doc__, "plain": cls}
    )


def _language(types: tuple[Any, ...]) -> tuple[Any, ...]:
    first, *rest = types
    if first is None or first.rank < 3:
        return types
    return (first.with_shape([first.shape[axis] for axis in back(LAST, first.rank)]), *rest)


def _translate(found: Any, one: Any) -> Any:
    return tuple(map(one, found)) if isinstance(found, tuple) else one(found)

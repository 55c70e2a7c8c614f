"""How a weight in canonical (PyTorch) layout lies in a framework's variable, written as a pattern.

A manifest states it once, after the variable's name, and it is read both ways:

``o i h w -> h w i o``
    axes in another order
``(c m) 1 h w -> h w c m``
    an axis taken apart, as the shape of the variable tells (or ``| c=3``)
``(g h) i -> i (g h) | g=1,0,2``
    blocks in another order: the first there is number 1 here

>>> layout = parse("(g h) i -> i (g h) | g=1,0,2")
>>> layout.apply(np.array([[1], [2], [3]])).tolist()
[[2, 1, 3]]
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod
from typing import Any

from dlspec.ops._numpy import np

Group = tuple[str, ...]  # the axes that one dimension is made of; () is a dimension of size 1
AXES = re.compile(r"\(([^()]*)\)|(\w+)|(\S)")


class LayoutError(ValueError):
    """A pattern that cannot be read, or an array that does not fit it."""


@dataclass(frozen=True)
class Layout:
    """A parsed pattern: the axes here and there, orders of blocks, and sizes that no shape tells."""

    source: tuple[Group, ...]
    target: tuple[Group, ...]
    orders: dict[str, tuple[int, ...]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def axes(self) -> tuple[int, ...]:
        """The axes of the framework's array in canonical order; raises where there is more than an order."""
        if self.orders or any(len(group) != 1 for group in (*self.source, *self.target)):
            raise LayoutError(f"{self} is more than another order of axes")
        return tuple(self.target.index(group) for group in self.source)

    def apply(self, array: Any, shape: Sequence[int] | None = None) -> Any:
        """The canonical `array` as the framework holds it, in a variable of this shape."""
        sizes = {
            group[0]: size for group, size in zip(self.target, shape or (), strict=False) if len(group) == 1
        }
        sizes = self._axis_sizes(array.shape, sizes)
        axes = [axis for group in self.source for axis in group]
        array = array.reshape([sizes[axis] for axis in axes])
        for axis, order in self.orders.items():
            array = np.take(array, order, axis=axes.index(axis))
        array = array.transpose([axes.index(axis) for group in self.target for axis in group])
        return np.ascontiguousarray(array.reshape(self._target_shape(sizes)))

    def invert(self, array: Any) -> Any:
        """The framework's `array` in canonical layout."""
        return self.inverse().apply(array)

    def inverse(self) -> Layout:
        """The way back."""
        orders = {axis: _inverse(order) for axis, order in self.orders.items()}
        return Layout(self.target, self.source, orders, self.sizes)

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that `apply` makes of one."""
        return self._target_shape(self._axis_sizes(shape, {}))

    def _target_shape(self, sizes: dict[str, int]) -> tuple[int, ...]:
        return tuple(prod(sizes[axis] for axis in group) for group in self.target)

    def _axis_sizes(self, shape: tuple[int, ...], known: dict[str, int]) -> dict[str, int]:
        if len(shape) != len(self.source):
            raise LayoutError(
                f"an array of shape {tuple(shape)} has not the {len(self.source)} axes of {self}"
            )
        sizes = {**known, **self.sizes, **{axis: len(order) for axis, order in self.orders.items()}}
        for size, group in zip(shape, self.source, strict=True):
            unknown = [axis for axis in group if axis not in sizes]
            inner = prod(sizes[axis] for axis in group if axis in sizes)
            if len(unknown) > 1 or size % inner or (not unknown and size != inner):
                raise LayoutError(f"an axis of {size} does not take apart as ({' '.join(group)}) in {self}")
            if unknown:
                sizes[unknown[0]] = size // inner
        return sizes

    def __str__(self) -> str:
        orders = {axis: ",".join(map(str, order)) for axis, order in self.orders.items()}
        extra = "; ".join(f"{axis}={value}" for axis, value in {**orders, **self.sizes}.items())
        pattern = f"{_show(self.source)} -> {_show(self.target)}"
        return f"{pattern} | {extra}" if extra else pattern


@cache
def parse(text: str) -> Layout:
    """The layout written as `text`; raises LayoutError."""
    pattern, _, extras = text.partition("|")
    left, arrow, right = pattern.partition("->")
    source, target = _groups(left, text), _groups(right, text)
    if not arrow or sorted(sum(source, ())) != sorted(sum(target, ())):
        raise LayoutError(f"the two sides of the weight layout {text!r} do not name the same axes")
    orders, sizes = _extras(extras, text)
    return Layout(source, target, orders, sizes)


def apply(text: str | None, array: Any, shape: Sequence[int] | None = None) -> Any:
    """`array` in the layout written as `text` (None: as it is), in a variable of this shape."""
    return parse(text).apply(array, shape) if text else array


def invert(text: str | None, array: Any) -> Any:
    """The opposite of `apply`: from the framework's layout to the canonical one."""
    return parse(text).invert(array) if text else array


def _groups(side: str, text: str) -> tuple[Group, ...]:
    groups: list[Group] = []
    for match in AXES.finditer(side):
        if match[3]:
            raise LayoutError(f"{match[3]!r} does not belong into the weight layout {text!r}")
        names = match[1].split() if match[2] is None else [match[2]]
        groups.append(tuple(name for name in names if name != "1"))
    axes = sum(groups, ())
    if len(set(axes)) != len(axes) or not all(name.isidentifier() for name in axes):
        raise LayoutError(f"axes in the weight layout {text!r} need distinct names")
    return tuple(groups)


def _extras(text: str, whole: str) -> tuple[dict[str, tuple[int, ...]], dict[str, int]]:
    orders: dict[str, tuple[int, ...]] = {}
    sizes: dict[str, int] = {}
    for part in filter(None, (p.strip() for p in text.split(";"))):
        axis, _, value = (p.strip() for p in part.partition("="))
        try:
            numbers = tuple(int(n) for n in value.split(","))
        except ValueError as error:
            raise LayoutError(f"{part!r} in the weight layout {whole!r} is no size and no order") from error
        if len(numbers) == 1:
            sizes[axis] = numbers[0]
        elif sorted(numbers) == list(range(len(numbers))):
            orders[axis] = numbers
        else:
            raise LayoutError(f"{part!r} is not an order in the weight layout {whole!r}")
    return orders, sizes


def _inverse(order: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(order.index(i) for i in range(len(order)))


def _show(groups: tuple[Group, ...]) -> str:
    return " ".join(g[0] if len(g) == 1 else f"({' '.join(g)})" if g else "1" for g in groups)

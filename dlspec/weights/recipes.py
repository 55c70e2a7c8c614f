"""How one weight is made of tensors of a file: read, cut, turned, joined. The shape is known before any number.

`part`, `index` and `slice` of a tensor come first, then the joining of several, then the layout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dlspec.ops._numpy import np
from dlspec.weights.layout import Layout, LayoutError
from dlspec.weights.tensors import Tensors


@dataclass(frozen=True)
class Read:
    """One tensor, or a piece of it.

    index
        which entry of the first axis, that then falls away.
    bounds
        the piece along `axis`: start and end, or (k, n) as ``part`` k of n equal ones.
    """

    key: str
    index: int | None = None
    axis: int = 0
    part: tuple[int, int] | None = None
    slice: tuple[int, int] | None = None
    layout: Layout | None = None

    def sources(self) -> Iterator[str]:
        yield self.key

    def shape(self, tensors: Tensors) -> tuple[int, ...]:
        shape = tensors[self.key].shape
        if self.index is not None:
            if not shape or self.index >= shape[0]:
                raise LayoutError(f"there is no number {self.index} in a tensor of shape {list(shape)}")
            shape = shape[1:]
        if self.part or self.slice:
            start, end = self._bounds(shape)
            shape = (*shape[: self.axis], end - start, *shape[self.axis + 1 :])
        return self.layout.shape(shape) if self.layout else shape

    def read(self, tensors: Tensors) -> Any:
        array = tensors[self.key].read()
        if self.index is not None:
            array = array[self.index]
        if self.part or self.slice:
            start, end = self._bounds(array.shape)
            array = array[(slice(None),) * self.axis + (slice(start, end),)]
        return self.layout.apply(array) if self.layout else array

    def _bounds(self, shape: tuple[int, ...]) -> tuple[int, int]:
        if self.axis >= len(shape):
            raise LayoutError(f"a tensor of shape {list(shape)} has no axis {self.axis}")
        size = shape[self.axis]
        if self.part:
            number, count = self.part
            if size % count:
                raise LayoutError(f"an axis of {size} has not {count} equal parts")
            return size // count * number, size // count * (number + 1)
        assert self.slice is not None
        if self.slice[1] > size:
            raise LayoutError(f"an axis of {size} does not reach to {self.slice[1]}")
        return self.slice


@dataclass(frozen=True)
class Join:
    """Several tensors one after the other along an axis, or stacked along a new one."""

    parts: tuple[Recipe, ...]
    axis: int = 0
    stacked: bool = False
    layout: Layout | None = None

    def sources(self) -> Iterator[str]:
        for part in self.parts:
            yield from part.sources()

    def shape(self, tensors: Tensors) -> tuple[int, ...]:
        shapes = [part.shape(tensors) for part in self.parts]
        axis = self.axis
        rests = {shape if self.stacked else (*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        ranks = {len(shape) for shape in shapes}
        if len(rests) > 1 or len(ranks) > 1 or axis >= min(ranks) + self.stacked:
            raise LayoutError(
                f"shapes {', '.join(str(list(s)) for s in shapes)} cannot be joined at axis {axis}"
            )
        (rest,) = rests
        size = len(shapes) if self.stacked else sum(shape[axis] for shape in shapes)
        shape = (*rest[:axis], size, *rest[axis:])
        return self.layout.shape(shape) if self.layout else shape

    def read(self, tensors: Tensors) -> Any:
        arrays = [part.read(tensors) for part in self.parts]
        joined = (np.stack if self.stacked else np.concatenate)(arrays, axis=self.axis)
        return self.layout.apply(joined) if self.layout else joined


@dataclass(frozen=True)
class Constant:
    """A weight that the file does not have: one number everywhere, or None for the spec's own initial value."""

    value: float | None

    def sources(self) -> Iterator[str]:
        yield from ()


INITIAL = Constant(None)
Recipe = Read | Join

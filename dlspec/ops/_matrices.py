"""Linear maps along one axis: constant matrices for resizing and adaptive pooling. Made without NumPy."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any

from dlspec.ops._numpy import np

Matrix = list[list[float]]  # a row for each result


def adaptive_spans(length: int, count: int) -> list[tuple[int, int]]:
    """The windows of adaptive pooling: `count` spans, as equal as can be, that cover `length` elements."""
    return [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]


def averaging(length: int, count: int) -> Matrix:
    """Adaptive average pooling."""
    return [
        [1 / (end - start) if start <= j < end else 0.0 for j in range(length)]
        for start, end in adaptive_spans(length, count)
    ]


def nearest_indices(length: int, count: int) -> list[int]:
    """Which element each result of nearest resizing takes."""
    return [i * length // count for i in range(count)]


def linear(length: int, count: int) -> Matrix:
    """Resizing between the two nearest elements; centres of elements at half-integers, edges repeated."""

    def taps(i: int) -> dict[int, float]:
        place = max((i + 0.5) * length / count - 0.5, 0.0)
        left = floor(place)
        return _sum([(left, 1 - (place - left)), (left + 1, place - left)], length)

    return _dense(taps, length, count)


def cubic(length: int, count: int, a: float = -0.75) -> Matrix:
    """Resizing by cubic convolution of four elements (Keys 1981); centres and edges as in `linear`."""

    def near(d: float) -> float:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: float) -> float:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    def taps(i: int) -> dict[int, float]:
        place = (i + 0.5) * length / count - 0.5
        left = floor(place)
        t = place - left
        weights = (far(t + 1), near(t), near(1 - t), far(2 - t))
        return _sum([(left - 1 + k, weight) for k, weight in enumerate(weights)], length)

    return _dense(taps, length, count)


def _sum(taps: list[tuple[int, float]], length: int) -> dict[int, float]:
    total: dict[int, float] = {}
    for place, weight in taps:
        inside = min(max(place, 0), length - 1)
        total[inside] = total.get(inside, 0.0) + weight
    return total


def _dense(taps: Callable[[int], dict[int, float]], length: int, count: int) -> Matrix:
    rows = (taps(i) for i in range(count))
    return [[row.get(j, 0.0) for j in range(length)] for row in rows]


def applied(x: Any, matrix: Matrix, axis: int) -> Any:
    """NumPy: `matrix` along one axis of `x`."""
    return np.moveaxis(np.moveaxis(x, axis, -1) @ np.asarray(matrix, dtype=x.dtype).T, -1, axis)


def apply_nodes(b: Any, x: Any, matrix: Matrix, axis: int) -> Any:
    """The same as matrix products."""
    rank = x.type.rank
    if axis == rank - 2:
        return b.constant(matrix, like=x) @ x
    columns = b.constant([list(column) for column in zip(*matrix, strict=True)], like=x)
    if axis == rank - 1:
        return x @ columns
    order = (*(i for i in range(rank) if i != axis), axis)
    back = tuple(order.index(i) for i in range(rank))
    return b.transpose(b.transpose(x, axes=order) @ columns, axes=back)

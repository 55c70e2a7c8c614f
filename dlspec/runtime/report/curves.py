"""Curves and tables of numbers, drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 12, 30
CELL = 34

SIDES = {"train": 0}  # the colour of a series; all else is held out

# Steps between the lines of an axis, in units of a power of ten.
STEPS = (1, 2, 2.5, 5, 10)


POINTS = 600  # of a line; more are averaged


def curve(
    series: Mapping[str, Sequence[float]],
    best: int | None = None,
    places: Sequence[int] | None = None,
    unit: str = "epoch",
) -> Markup:
    """Lines over epochs, one a series, with an axis from what is smallest to what is largest.

    best
        the epoch, counted from 0, whose weights were kept.
    places
        where the values are, on an axis of `unit`; epochs from 1 where it is not said.
    """
    at = list(places or range(1, 1 + max(map(len, series.values()), default=0)))
    best_at = None if best is None else at[best]
    shown = {name: _thinned(at, values) for name, values in series.items()}
    finite = [v for points in shown.values() for _, v in points]
    if not finite:
        return Markup("")
    marks = ticks(min(finite), max(finite))
    low, high, first, last = marks[0], marks[-1], at[0], at[-1]

    def x(place: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * ((place - first) / (last - first) if last > first else 0.5)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = [f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for mark in marks:
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(mark):.1f}" y2="{y(mark):.1f}"/>'
        )
        parts.append(
            f'<text class="tick" text-anchor="end" x="{LEFT - 8}" y="{y(mark) + 4:.1f}">{mark:.6g}</text>'
        )
    for place in epochs(last) if places is None else between(first, last):
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{x(place):.1f}" y="{HEIGHT - 8}">{place:,}</text>'
        )
    if best_at is not None:
        parts.append(
            f'<line class="best" x1="{x(best_at):.1f}" x2="{x(best_at):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        )
    for name, points in shown.items():
        what = [(x(p), y(v), f"{escape(name)}, {unit} {p:,}: {v:.5g}") for p, v in points]
        parts += _line(SIDES.get(name, 1), what)
    return Markup("".join([*parts, "</svg>"]))


def _thinned(places: Sequence[int], values: Sequence[float]) -> list[tuple[int, float]]:
    """The points that are finite; of very many, the means of as many in a row as it takes."""
    points = [(p, v) for p, v in zip(places, values, strict=False) if math.isfinite(v)]
    size = math.ceil(len(points) / POINTS) or 1
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(group[-1][0], sum(v for _, v in group) / len(group)) for group in groups]


def _line(number: int, points: Sequence[tuple[float, float, str]]) -> list[str]:
    """A line through points, each with what is told where the pointer rests."""
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
    parts = [f'<path class="series s{number}" d="{path}"/>'] if points else []
    radius = 3 if len(points) == 1 else 2 if len(points) <= 30 else 0  # single points are drawn
    if radius:
        parts += [
            f'<circle class="dot s{number}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"><title>{told}</title></circle>'
            for x, y, told in points
        ]
    return parts


def ticks(low: float, high: float) -> list[float]:
    """Round values, some four of them, from below `low` to above `high`."""
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    rough = (high - low) / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(s for s in STEPS if s * power >= rough * 0.999) * power
    return [i * step for i in range(math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9) + 1)]


def epochs(count: int) -> list[int]:
    """The epochs that are named below a curve: the first, the last, and some between."""
    step = max(1, round(count / 6))
    inner = [e for e in range(step, count, step) if e > 1 and count - e >= step / 2]
    return sorted({1, *inner, count})


def between(first: int, last: int) -> list[int]:
    """The steps that are named below a curve: round ones."""
    step = max(1, round((ticks(first, last)[1] - ticks(first, last)[0]) if last > first else 1))
    return [place for place in range(-(-first // step) * step, last + 1, step)] or [first]


def heat(rows: Sequence[Sequence[float]], labels: Sequence[str] | None = None) -> Markup:
    """A table of numbers, darker where they are large in their row: in a confusion matrix, true classes."""
    count = max(map(len, rows))
    names = labels or [str(i) for i in range(max(count, len(rows)))]
    size = CELL if count <= 20 else 16
    edge = 46
    parts = [f'<svg class="heat" viewBox="0 0 {edge + size * count + 8} {edge + size * len(rows) + 8}" '
             f'width="{edge + size * count + 8}" role="img">']  # fmt: skip
    for j in range(count):
        parts.append(f'<text class="tick" text-anchor="middle" x="{edge + size * (j + 0.5)}" y="{edge - 8}">'
                     f"{escape(names[j])}</text>")  # fmt: skip
    for i, row in enumerate(rows):
        middle = edge + size * (i + 0.5)
        parts.append(
            f'<text class="tick" text-anchor="end" x="{edge - 8}" y="{middle + 4}">{escape(names[i])}</text>'
        )
        total = sum(abs(v) for v in row) or 1
        for j, value in enumerate(row):
            share = abs(value) / total
            parts.append(
                f'<rect class="cell" x="{edge + size * j + 1}" y="{edge + size * i + 1}" width="{size - 2}" '
                f'height="{size - 2}" rx="3" style="fill-opacity:{0.04 + 0.96 * share:.3f}">'
                f"<title>{escape(names[i])} as {escape(names[j])}: {value:g}</title></rect>"
            )
            if size == CELL and value:
                light = " light" if share > 0.45 else ""
                parts.append(f'<text class="number{light}" text-anchor="middle" x="{edge + size * (j + 0.5)}" '
                             f'y="{middle + 4}">{value:g}</text>')  # fmt: skip
    return Markup("".join([*parts, "</svg>"]))

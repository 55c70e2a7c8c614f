"""Panels as one SVG: the model at the left, its blocks beside it in frames."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from dlspec.draw.layout import DEPTH, HEIGHT, Layout, Line, Placed, layout, shown_shape
from dlspec.draw.panel import Panel
from dlspec.draw.text import LARGE, MEDIUM, SMALL, width_of

MARGIN, FRAME, HEAD = 24.0, 18.0, 34.0  # round the picture, inside a frame, above a panel for its title
LOWEST = 560.0  # a column of blocks is at least this high before another is begun
ROUND = 6.0
INK, MUTED, LINES = "#1e293b", "#64748b", "#7c8aa0"

# fill and border of each kind of box
COLOURS = {
    "conv": ("#dbeafe", "#60a5fa"), "dense": ("#e0e7ff", "#818cf8"), "table": ("#fef3c7", "#f0b429"),
    "recurrent": ("#f3e8ff", "#c084fc"), "attention": ("#ffe4e6", "#fb7185"), "pool": ("#dcfce7", "#4ade80"),
    "norm": ("#e2e8f0", "#94a3b8"), "block": ("#ffffff", "#334155"), "function": ("#f1f5f9", "#cbd5e1"),
    "join": ("#ffffff", "#7c8aa0"), "input": ("#334155", "#334155"), "output": ("#334155", "#334155"),
    "more": ("#ffffff", "#ffffff"), "tag": ("#ffffff", "#cbd5e1"),
}  # fmt: skip
WORDS = {"input": "w", "output": "w", "tag": "s"}  # classes of text, where it is not `t`
STYLE = (
    "text{font-family:Inter,'Segoe UI',Helvetica,Arial,'DejaVu Sans',sans-serif}"
    f".t{{font-size:{MEDIUM}px;fill:{INK}}}.s{{font-size:{SMALL}px;fill:{MUTED}}}"
    f".h{{font-size:{LARGE}px;font-weight:600;fill:{INK}}}.w{{font-size:{MEDIUM}px;fill:#fff}}"
    f".l{{fill:none;stroke:{LINES};stroke-width:1.3}}b,.b{{font-weight:600}}"
)


def picture(panels: list[Panel]) -> str:
    """The SVG text."""
    layouts = [layout(panel) for panel in panels]
    places = list(_arrange(layouts))
    width = max(x + _width(each) for each, x, _ in places) + MARGIN
    height = max(y + _height(each) for each, _, y in places) + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escape(layouts[0].title)}</title><style>{STYLE}</style>",
        '<marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto">'
        f'<path d="M0 0.5 8 4 0 7.5z" fill="{LINES}"/></marker>',
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="10" fill="#fff"/>',
    ]
    for number, (each, x, y) in enumerate(places):
        parts += _panel(each, x, y, framed=number > 0)
    return "\n".join([*parts, "</svg>", ""])


def _width(each: Layout) -> float:
    return max(each.width, width_of(each.title, LARGE, bold=True)) + 2 * FRAME


def _height(each: Layout) -> float:
    return each.height + HEAD + 2 * FRAME


def _arrange(layouts: list[Layout]) -> Iterator[tuple[Layout, float, float]]:
    """The left upper corner of each panel: the first alone, the others below one another in columns."""
    first, *others = layouts
    yield first, MARGIN, MARGIN
    lowest = max(LOWEST, _height(first), *(map(_height, others)), 0) if others else 0.0
    x, y, widest = MARGIN + _width(first) + MARGIN, MARGIN, 0.0
    for each in others:
        if y > MARGIN and y + _height(each) > MARGIN + lowest:
            x, y, widest = x + widest + MARGIN, MARGIN, 0.0
        yield each, x, y
        y += _height(each) + MARGIN
        widest = max(widest, _width(each))


def _panel(each: Layout, x: float, y: float, framed: bool) -> Iterator[str]:
    if framed:
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{_width(each):.1f}" height="{_height(each):.1f}" rx="10" '
            'fill="#f8fafc" stroke="#e2e8f0"/>'
        )
    yield f'<text class="h" x="{x + FRAME:.1f}" y="{y + FRAME + LARGE - 2:.1f}">{escape(each.title)}</text>'
    left = x + FRAME + max(0.0, _width(each) - 2 * FRAME - each.width) / 2
    yield f'<g transform="translate({left:.1f} {y + FRAME + HEAD:.1f})">'
    yield from map(_line, each.lines)
    for placed in each.boxes:
        yield from _box(placed)
    yield "</g>"


def _line(line: Line) -> str:
    points = line.points
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        (ax, ay), (bx, by) = _toward(corner, before), _toward(corner, after)
        path.append(f"L{ax:.1f} {ay:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {bx:.1f} {by:.1f}")
    path.append(f"L{points[-1][0]:.1f} {points[-1][1]:.1f}")
    arrow = ' marker-end="url(#a)"' if line.arrow else ""
    return f'<path class="l" d="{"".join(path)}"{arrow}/>'


def _toward(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """A point a little away from a corner."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = abs(dx) + abs(dy)
    step = min(ROUND, length / 2) / length if length else 0.0
    return corner[0] + dx * step, corner[1] + dy * step


def _box(placed: Placed) -> Iterator[str]:
    box = placed.box
    fill, border = COLOURS[box.kind]
    width, height = placed.width, placed.height
    radius = height / 2 if box.kind in HEIGHT else 6
    stroke = 1.5 if box.kind == "block" else 1
    for offset in (DEPTH, DEPTH / 2, 0) if box.repeat > 1 else (0,):
        yield (
            f'<rect x="{placed.x + offset:.1f}" y="{placed.y - offset:.1f}" width="{width:.1f}" '
            f'height="{height:.1f}" rx="{radius:g}" fill="{fill}" stroke="{border}" stroke-width="{stroke}"/>'
        )
    middle, center = placed.x + width / 2, placed.y + height / 2
    if box.repeat > 1:
        yield f'<text class="t b" x="{placed.x + width + 11:.1f}" y="{center + 4:.1f}">× {box.repeat}</text>'
    name = f'<tspan class="b">{escape(box.title)}</tspan>'
    words = f"{name} {escape(box.arguments)}" if box.arguments else name
    shape = f'<tspan class="b">{escape(shown_shape(box))}</tspan>' if shown_shape(box) else ""
    second = f"{escape(' · '.join(box.details))}{'   ' if box.details and shape else ''}{shape}"
    if box.kind in HEIGHT:
        yield _one_line(words, second, middle, center, WORDS.get(box.kind, "t"))
        return
    first = placed.y + (16 if second else height / 2 + 4)
    yield f'<text class="t" text-anchor="middle" x="{middle:.1f}" y="{first:.1f}">{words}</text>'
    if second:
        yield _text("s", middle, placed.y + 30, second)


def _one_line(words: str, second: str, middle: float, center: float, style: str) -> str:
    more = f'<tspan dx="6" font-size="{SMALL}" fill-opacity="0.75">{second}</tspan>' if second else ""
    return _text(style, middle, center + 4, words + more)


def _text(style: str, x: float, y: float, inner: str) -> str:
    return f'<text class="{style}" text-anchor="middle" xml:space="preserve" x="{x:.1f}" y="{y:.1f}">{inner}</text>'

"""How wide words are: no fonts are at hand, so widths are those of a common sans-serif face, a little rounded up."""

from __future__ import annotations

SMALL, MEDIUM, LARGE = 10.5, 12.5, 15.0  # sizes of type in pixels

_WIDTHS = {
    **dict.fromkeys("iljI.,:;'|!", 0.32),
    **dict.fromkeys("frt()[]/ -", 0.4),
    **dict.fromkeys("mwMW", 0.92),
}


def width_of(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in pixels."""
    units = sum(_WIDTHS.get(c, 0.72 if c.isupper() else 0.62) for c in text)
    return units * size * (1.08 if bold else 1.0)

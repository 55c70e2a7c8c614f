"""A model as a picture: the model and each of its blocks once, layers as boxes with shapes, repeats as stacks.

`panels` turns graphs into boxes and lines, `layout` gives them places, `svg` writes them down.
"""

from __future__ import annotations

from dlspec.draw.panels import panels
from dlspec.draw.svg import picture
from dlspec.ir.graph import Program


def draw(program: Program, model: str) -> str:
    """The SVG of a model."""
    return picture(panels(program, model))


__all__ = ["draw"]

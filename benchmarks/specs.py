"""Specs of any size, made to be measured."""

from __future__ import annotations

SIZES = (100, 1_000, 10_000)

_FRAME = """model Tower {{
  input x: f32[N, 8]
{body}
  output x: f32[N, 8]
}}
"""


def lines(layers: int) -> str:
    """A layer a line, all written out."""
    return _FRAME.format(body="\n".join(["  x = x -> Linear(8) -> relu"] * layers))


def pipe(layers: int) -> str:
    """All layers in one pipe."""
    return _FRAME.format(body="  x = x" + "\n    -> Linear(8) -> relu" * layers)


def repeated(layers: int) -> str:
    """One layer, repeated."""
    return _FRAME.format(body=f"  x = x -> repeat {layers} {{ Linear(8) -> relu }}")


FORMS = {"lines": lines, "pipe": pipe, "repeat": repeated}

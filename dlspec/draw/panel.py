"""What is drawn: panels of boxes with lines between them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Box:
    """A layer, a use of a block, or an input or output.

    details
        what directly follows: normalisation, activation.
    repeat
        how many there are in a row, each with its own weights.
    value
        the name of the result, where the line to it is named and not drawn.
    """

    title: str
    arguments: str = ""
    details: list[str] = field(default_factory=list)
    shape: str = ""
    kind: str = "function"
    repeat: int = 1
    value: str = ""

    @property
    def label(self) -> tuple[object, ...]:
        """What makes two boxes look alike."""
        return (self.title, self.arguments, tuple(self.details), self.kind)


@dataclass
class Panel:
    """Boxes and the lines between them, by index; the boxes are in order of evaluation."""

    title: str
    boxes: list[Box] = field(default_factory=list)
    edges: list[tuple[int, int]] = field(default_factory=list)

    def before(self, index: int) -> list[int]:
        return [a for a, b in self.edges if b == index]

    def after(self, index: int) -> list[int]:
        return [b for a, b in self.edges if a == index]

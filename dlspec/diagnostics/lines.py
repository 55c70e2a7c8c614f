"""A line of source as a terminal shows it: tabs, wide and control characters, and lines that are too long."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

WIDEST = 110  # columns of source that are shown
_TAB = 4
_CUT = "..."


@dataclass(slots=True)
class ShownLine:
    """What is printed for a line, and where its characters went."""

    text: str
    starts: list[int]  # the printed column of each character, and of the end

    def column(self, index: int) -> int:
        """The printed column, from 0, of a character."""
        return self.starts[max(0, min(index, len(self.starts) - 1))]


def show_line(line: str, start: int, end: int) -> ShownLine:
    """The line with the characters from `start` to `end` in sight."""
    if len(line) <= WIDEST:
        return _layout(line, 0, len(line))
    context = max(20, (WIDEST - (end - start)) // 2)
    first = max(0, min(start - context, len(line) - WIDEST))
    return _layout(line, first, min(len(line), first + WIDEST))


def _layout(line: str, first: int, last: int) -> ShownLine:
    lead = _CUT if first else ""
    starts, text, column = [len(lead)] * first, [lead], len(lead)
    for character in line[first:last]:
        starts.append(column)
        shown = " " * (_TAB - column % _TAB) if character == "\t" else escape(character)
        text.append(shown)
        column += sum(map(_width, shown))
    starts += [column] * (len(line) - last + 1)
    return ShownLine("".join(text) + (_CUT if last < len(line) else ""), starts)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def escape(text: str) -> str:
    """Text without characters that steer a terminal or turn the direction of reading."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(character if _harmless(character) else _escaped(character) for character in text)


def _harmless(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"

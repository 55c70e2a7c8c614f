"""Comments that document: the lines directly above a declaration, and those at the top of a file."""

from __future__ import annotations

from dlspec.syntax.source import Source, Span
from dlspec.syntax.tree import Block, Declaration, Item


def comment_above(span: Span) -> str:
    """The comment lines that end directly above the line where the span starts."""
    number, column = span.source.position(span.start)
    if span.source.line(number)[: column - 1].strip():
        return ""  # something else stands before it on its line
    lines: list[str] = []
    while number > 1 and _is_comment(line := span.source.line(number - 1)):
        lines.append(line)
        number -= 1
    return _join(reversed(lines))


def comment_at_top(source: Source, items: list[Item]) -> str:
    """The comment that starts the file, unless it is that of a first block or declaration that follows at once."""
    lines: list[str] = []
    number = 1
    total = source.text.count("\n") + 1
    while number <= total and not source.line(number).strip():
        number += 1
    while number <= total and _is_comment(line := source.line(number)):
        lines.append(line)
        number += 1
    first = items[0] if items else None
    if isinstance(first, Block | Declaration) and source.position(first.span.start)[0] == number:
        return ""
    return _join(lines)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _join(lines: object) -> str:
    return "\n".join(line.strip().lstrip("#").removeprefix(" ").rstrip() for line in lines)  # type: ignore[attr-defined]

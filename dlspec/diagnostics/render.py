"""Diagnostics as text for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dlspec.diagnostics import Diagnostic
from dlspec.diagnostics.lines import escape, show_line
from dlspec.syntax.source import Source, Span

_STYLES = {"error": "1;31", "warning": "1;33", "bold": "1", "gutter": "1;34", "hint": "1;36"}


@dataclass(slots=True)
class _Mark:
    """An underlined part of one line."""

    line: int
    start: int  # column from 0
    end: int
    sign: str
    label: str


class _Paint:
    """Wraps text in colours, or does not."""

    def __init__(self, color: bool) -> None:
        self.color = color

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text


def render(diagnostic: Diagnostic, color: bool = False) -> str:
    """A diagnostic as text, in the style of the example in the language reference. No newline at the end."""
    paint = _Paint(color)
    severity = diagnostic.severity
    head = paint(severity, f"{severity}[{diagnostic.code}]") + paint(
        "bold", f": {escape(diagnostic.message)}"
    )
    rows = [head]
    width = 1
    if diagnostic.span:
        sources = _marks_by_source(diagnostic, diagnostic.span)
        width = max(len(str(mark.line)) for _, marks in sources for mark in marks)
        for i, (source, marks) in enumerate(sources):
            where = (
                diagnostic.span
                if i == 0
                else next(n.span for n in diagnostic.notes if n.span.source is source)
            )
            rows.append(
                " " * width + paint("gutter", "-->" if i == 0 else ":::") + f" {escape(_place(where))}"
            )
            rows.append(" " * width + paint("gutter", " |"))
            rows += _snippet(source, marks, width, severity, paint)
    else:
        rows += [
            " " * width + paint("gutter", " = ") + f"note: {escape(note.text)}" for note in diagnostic.notes
        ]
    if diagnostic.hint:
        rows.append(
            " " * width + paint("gutter", " = ") + paint("hint", "hint") + f": {escape(diagnostic.hint)}"
        )
    return "\n".join(rows)


def render_all(diagnostics: Iterable[Diagnostic], color: bool = False) -> str:
    """Several diagnostics, an empty line between two."""
    return "\n\n".join(render(diagnostic, color) for diagnostic in diagnostics)


def to_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as plain data. Lines, columns count from 1, offsets from 0; ends are exclusive."""
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "label": diagnostic.label,
        "hint": diagnostic.hint,
        "place": _place_json(diagnostic.span) if diagnostic.span else None,
        "notes": [{"text": note.text, "place": _place_json(note.span)} for note in diagnostic.notes],
    }


def _place(span: Span) -> str:
    line, column = span.source.position(span.start)
    return f"{span.source.name}:{line}:{column}"


def _place_json(span: Span) -> dict[str, Any]:
    def point(offset: int) -> dict[str, int]:
        line, column = span.source.position(offset)
        return {"line": line, "column": column, "offset": offset}

    return {"file": span.source.name, "start": point(span.start), "end": point(span.end)}


def _marks_by_source(diagnostic: Diagnostic, span: Span) -> list[tuple[Source, list[_Mark]]]:
    """The marks of each file, that of the diagnostic first, each in source order."""
    marked = [(span.source, _marks(span, "^", diagnostic.label))]
    marked += [(note.span.source, _marks(note.span, "-", note.text)) for note in diagnostic.notes]
    found: dict[int, tuple[Source, list[_Mark]]] = {}
    for source, marks in marked:
        found.setdefault(id(source), (source, []))[1].extend(marks)
    for _, marks in found.values():
        marks.sort(key=lambda mark: (mark.line, mark.start))
    return list(found.values())


def _marks(span: Span, sign: str, label: str) -> list[_Mark]:
    """One mark, or for a place of several lines one on its first line and one with the label on its last."""
    line, column = span.source.position(span.start)
    last, end = span.source.position(max(span.start, span.end - 1))
    if line == last:
        return [_Mark(line, column - 1, max(end, column), sign, label)]
    text = span.source.line(last)
    indent = len(text) - len(text.lstrip())
    first = _Mark(line, column - 1, max(len(span.source.line(line).rstrip()), column), sign, "")
    return [first, _Mark(last, min(indent, end - 1), end, sign, label)]


def _snippet(source: Source, marks: list[_Mark], width: int, severity: str, paint: _Paint) -> list[str]:
    rows = []
    for number, group in groupby(marks, key=lambda mark: mark.line):
        here = list(group)
        shown = show_line(source.line(number), here[0].start, max(mark.end for mark in here))
        rows.append((paint("gutter", f"{number:>{width}} |") + f" {shown.text}").rstrip())
        for mark in here:
            start, end = shown.column(mark.start), max(shown.column(mark.end), shown.column(mark.start) + 1)
            style = severity if mark.sign == "^" else "gutter"
            line = paint(style, f"{mark.sign * (end - start)} {escape(mark.label)}".rstrip())
            rows.append(" " * width + paint("gutter", " |") + " " * (start + 1) + line)
    return rows

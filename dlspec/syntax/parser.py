"""Text to syntax tree: `parse_text` and `parse_file`."""

from __future__ import annotations

from pathlib import Path
from threading import RLock

from dlspec._collector import collector_paused
from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.syntax import tree
from dlspec.syntax.depth import check_depth
from dlspec.syntax.grammar import parser
from dlspec.syntax.read import forbidden_characters, read_text
from dlspec.syntax.recover import blank
from dlspec.syntax.source import Source

MOST_ERRORS = 20  # of one file; more would be echoes of the first ones
MOST_WORK = 500_000  # characters that are parsed once more to find further errors in the same declaration

_LOCK = RLock()  # there is one parser, and pausing the collector concerns the whole process


def parse_file(path: str | Path) -> tree.File:
    """The tree of a `.dls` file. Raises `SpecError`."""
    return parse_text(read_text(path), str(path))


def parse_text(text: str, name: str = "<text>") -> tree.File:
    """The tree of a text. Raises `SpecError` with every syntax error found."""
    source = Source(name, text.removeprefix("\ufeff"))
    problems = forbidden_characters(source)
    if problems:
        raise SpecError(problems[:MOST_ERRORS])
    with _LOCK, collector_paused():
        file, problems = _parse(source)
    if not problems:
        problems = check_depth(file)
    if problems:
        problems.sort(key=lambda problem: problem.span.start if problem.span else 0)
        raise SpecError(problems[:MOST_ERRORS])
    return file


def _parse(source: Source) -> tuple[tree.File, list[Diagnostic]]:
    """Parse; after an error, go on with the next statement or declaration, to find the errors independent of it."""
    lark, builder = parser()
    from lark import TextSlice, UnexpectedInput

    file = tree.File(builder.begin(source), source)
    problems: dict[tuple[str, int], Diagnostic] = {}
    text, start, work = source.text, 0, MOST_WORK
    while len(problems) < MOST_ERRORS:
        builder.begin(source)
        explained = None
        try:
            file = lark.parse(TextSlice(text, start, len(text)))  # type: ignore[assignment]
        except UnexpectedInput as error:
            # Only when there is an error: its tables cost time to import.
            from dlspec.syntax.errors import explain_error

            explained = explain_error(source, text, start, error, lark)
            builder.problems.append(explained.diagnostic)
        for problem in builder.problems:
            problems.setdefault((problem.code, problem.span.start if problem.span else 0), problem)
        if explained is None:
            break
        work -= explained.place - start
        if work > 0 and explained.hole and text[slice(*explained.hole)].strip():
            text, start = blank(text, *explained.hole), explained.declaration
        elif explained.resume is not None:
            start = explained.resume
        else:
            break
    return file, list(problems.values())

"""Where the brackets, commas and operators of one line of Python are; strings are skipped."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<string>[rbf]{0,2}(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))|(?P<open>[(\[{])|(?P<close>[)\]}])"""
    r"""|(?P<comma>,)|(?P<comment>\#.*)"""
    r"""|(?P<operator>(?<=\s)(?:\*\*|//|<<|>>|==|!=|<=|>=|[-+*/%@&|^<>]"""
    r"""|(?:and|or|not in|in|is not|is|if|else)\b)(?=\s))"""
)
_CLAUSE = re.compile(r" (?=(?:async for|for|if) )")
_LOOSE = (
    ("if", "else"), ("or",), ("and",), ("==", "!=", "<", "<=", ">", ">=", "in", "not in", "is", "is not"), ("|",),
    ("^",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/", "//", "%", "@"), ("**",),
)  # fmt: skip


@lru_cache(maxsize=1024)
def _tokens(code: str) -> tuple[tuple[str, str, int, int], ...]:
    """Kind, text, position and depth of everything that matters."""
    found, depth = [], 0
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup or ""
        depth -= kind == "close"
        found.append((kind, match[0], match.start(), depth))
        depth += kind == "open"
    return tuple(found)


def matching(code: str, opening: int | None = None) -> int | None:
    """The bracket that closes the one at `opening`; without it, the one that opens the last bracket."""
    tokens = [t for t in _tokens(code) if t[0] in ("open", "close")]
    if opening is not None:
        depth = next(t[3] for t in tokens if t[2] == opening)
        return next((t[2] for t in tokens if t[0] == "close" and t[3] == depth and t[2] > opening), None)
    if not tokens or tokens[-1][0] != "close" or tokens[-1][3] != 0:
        return None
    return next(t[2] for t in reversed(tokens) if t[0] == "open" and t[3] == 0)


def elements(body: str) -> list[str]:
    """What stands between the commas in a bracket; a comprehension is one, whatever its `for` unpacks."""
    if clauses(body):
        return [body]
    return [item for item in _elements(body) if item]


def _elements(body: str) -> Iterator[str]:
    start = 0
    for kind, _, position, depth in _tokens(body):
        if kind == "comma" and depth == 0:
            yield body[start:position].strip()
            start = position + 1
    yield body[start:].strip()


def clauses(body: str) -> list[str]:
    """A comprehension as its element and its `for` and `if` clauses; [] for anything else."""
    strings = [(p, p + len(t)) for kind, t, p, _ in _tokens(body) if kind == "string"]
    marks = [
        (p, {"open": 1, "close": -1}[kind]) for kind, _, p, _ in _tokens(body) if kind in ("open", "close")
    ]
    cuts = [
        match.start()
        for match in _CLAUSE.finditer(body)
        if sum(step for position, step in marks if position < match.start()) == 0
        and not any(start <= match.start() < end for start, end in strings)
    ]
    first = next((i for i, cut in enumerate(cuts) if not body.startswith("if ", cut + 1)), None)
    if first is None:
        return []
    places = [0, *cuts[first:], len(body)]  # an `if` before the first `for` belongs to the element
    return [body[start:end].strip() for start, end in itertools.pairwise(places)]


def operators(code: str) -> list[tuple[int, str]]:
    """The loosest operators outside of brackets: position and text."""
    outside = [
        (position, text) for kind, text, position, depth in _tokens(code) if kind == "operator" and depth == 0
    ]
    for level in _LOOSE:
        found = [(position, text) for position, text in outside if text in level]
        if found:
            return found
    return []


def split_comment(line: str) -> tuple[str, str]:
    """The code of a line, and its comment."""
    for kind, _, position, _ in _tokens(line) if "#" in line else ():
        if kind == "comment":
            return line[:position].rstrip(), line[position:]
    return line, ""

"""Going on after a syntax error: which statement to leave out so that the rest of its block can be parsed."""

from __future__ import annotations

import re

from dlspec.syntax.scan import PAIRS, Surroundings, Word, words

UNCLOSED, STRAY = "DLS0104", "DLS0105"


def blank(text: str, start: int, end: int) -> str:
    """The text with spaces in a part of it, so that all other places stay as they are."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def faulty_statement(around: Surroundings, text: str, code: str, before: bool) -> tuple[int, int] | None:
    """From the start to the end of the statement with the error, if it has lines of its own.

    `before`: the error is that the statement before the word found is not complete.
    """
    found = around.after[0] if around.after else None
    brace = next((i for i in reversed(range(len(around.open))) if around.open[i].bracket.text == "{"), None)
    if brace is None or found is None or (code == STRAY and found.text == "}"):
        return None
    first = _first_word(around, around.open[brace].bracket.start, before)
    if first is None:
        return None
    if code == UNCLOSED:  # of a bracket within the statement; a brace leaves no statement to speak of
        return (first.start, found.start) if found.first and brace < len(around.open) - 1 else None
    end = _end_of_statement(around, text, first)
    return (first.start, end) if end is not None and end + before > found.start else None


def _first_word(around: Surroundings, brace: int, before: bool) -> Word | None:
    """The word at the start of a line that begins the statement with the error, directly inside a brace."""
    depth, first = 0, None
    for word in around.before if before else [*around.before, around.after[0]]:
        if word.start <= brace:
            continue
        starts = word.first and depth == 0 and word.text not in ("->", "}", "else")
        if starts and (first is None or around.column(word) <= around.column(first)):
            first = word
        depth += (word.text in PAIRS) - (word.text in PAIRS.values())
    return first


def _end_of_statement(around: Surroundings, text: str, first: Word) -> int | None:
    """The next line that starts no further to the right, provided that all brackets are closed by then."""
    depth, column = 0, around.column(first)
    for word in words(text, first.start):
        ends = word.start > first.start and word.first and around.column(word) <= column
        if depth == 0 and (ends or word.text == "}"):
            return word.start
        if ends and word.text not in PAIRS.values():
            return None
        depth = max(0, depth + (word.text in PAIRS) - (word.text in PAIRS.values()))
    return None

"""A look at the words around a syntax error: simple, forgiving, and used for nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dlspec.syntax.source import Source, Span

DECLARATIONS = ("import", "let", "block", "model", "data", "train", "export", "sweep")
_OPENERS = ("else", "repeat", "if", "for")
PAIRS = {"{": "}", "(": ")", "[": "]"}

_WORD = re.compile(
    r"""(?P<space>[ \t\r\n\f]+|\#[^\r\n]*)
      | (?P<string>"(?:[^"\\\r\n]|\\[^\r\n])*")
      | (?P<open_string>"(?:[^"\\\r\n]|\\[^\r\n])*)
      | (?P<name>[A-Za-z_]\w*)
      | (?P<number>[0-9]\w*(?:\.[0-9]\w*)?(?:(?<=[eE])[+-][0-9]+)?)
      | (?P<sign>->|\*\*|//|\.\.\.|\.\.|[=!<>]=|&&|\|\||=>|:=|.)""",
    re.VERBOSE,
)
_DECLARATION = re.compile(rf"^(?:{'|'.join(DECLARATIONS)})[ \t]+[A-Za-z_\"{{]", re.MULTILINE)


@dataclass(slots=True)
class Word:
    """A word, number, string or sign."""

    kind: str
    text: str
    start: int
    end: int
    first: bool  # on its line


@dataclass(slots=True)
class Open:
    """A bracket that is not closed yet, with the word that leads to it (`model`, `if`, ...)."""

    bracket: Word
    opener: Word
    column: int  # where the opener's line starts


@dataclass(slots=True)
class Surroundings:
    """The words before a place, the brackets open there, and the words after."""

    source: Source
    before: list[Word]
    after: list[Word]
    open: list[Open] = field(default_factory=list)
    suspect: Open | None = None  # a bracket whose closer, by its indentation, was meant for an outer one

    @property
    def unclosed(self) -> Open | None:
        """The bracket that most likely lacks its closer."""
        return self.suspect or (self.open[-1] if self.open else None)

    def at(self, word: Word) -> Span:
        """The place of a word."""
        return Span(self.source, word.start, word.end)

    def column(self, word: Word) -> int:
        """The column of a word, from 1."""
        return self.source.position(word.start)[1]


def words(text: str, start: int) -> Iterator[Word]:
    """The words of a text from `start` on."""
    first = not text[text.rfind("\n", 0, start) + 1 : start].strip()
    for match in _WORD.finditer(text, start):
        kind, written = str(match.lastgroup), match.group()
        if kind == "space":
            first = first or "\n" in written
        else:
            yield Word(kind, written, match.start(), match.end(), first)
            first = False


def look_around(source: Source, text: str, start: int, place: int) -> Surroundings:
    """The words from `start` to `place`, and a few after. `text` is that of the source but for what was blanked."""
    before: list[Word] = []
    after: list[Word] = []
    for word in words(text, start):
        (before if word.end <= place else after).append(word)
        if len(after) == 4:
            break
    around = Surroundings(source, before, after)
    _match_brackets(around)
    return around


def next_declaration(text: str, place: int) -> int | None:
    """Where the next declaration starts, at the beginning of a line: there the parser can take up again."""
    match = _DECLARATION.search(text, place)
    return match.start() if match else None


def declaration_before(text: str, start: int, place: int) -> int:
    """Where the last declaration up to a place starts at the beginning of a line, from `start` on."""
    line = place
    while line > start:
        line = text.rfind("\n", start, line) + 1 or start
        if _DECLARATION.match(text, line):
            return line
        line -= 1
    return start


def starts_declaration(around: Surroundings, word: Word) -> bool:
    """Whether a declaration starts with this word, as far as one can tell from its line and indentation."""
    if word.text not in DECLARATIONS or not word.first:
        return False
    line = around.source.text[word.start : word.end + 40]
    outermost = around.open[0].column if around.open else around.column(word)
    return bool(_DECLARATION.match(line)) and around.column(word) <= outermost


def _match_brackets(around: Surroundings) -> None:
    opener, column, last = None, 1, ""
    for word in around.before:
        if word.first:
            column = around.column(word)
        if word.first or opener is None or last in ("{", "}") or word.text in _OPENERS:
            opener = word
        if word.text in PAIRS:
            around.open.append(Open(word, opener if word.text == "{" else word, column))
        elif around.open and PAIRS[around.open[-1].bracket.text] == word.text:
            closed = around.open.pop()
            if word.text == "}" and word.first and column < closed.column:
                around.suspect = around.suspect or closed
        last = word.text

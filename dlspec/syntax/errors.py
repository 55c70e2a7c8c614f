"""Turns the place where the parser stopped into a message for the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlspec.diagnostics import Diagnostic
from dlspec.syntax.bracket_rules import missing_closer, stray_closer
from dlspec.syntax.line_rules import anything_else, not_a_declaration, not_a_statement
from dlspec.syntax.recover import faulty_statement
from dlspec.syntax.scan import (
    PAIRS,
    Surroundings,
    declaration_before,
    look_around,
    next_declaration,
    starts_declaration,
)
from dlspec.syntax.source import Source
from dlspec.syntax.text_rules import bad_number, open_string, strange_character
from dlspec.syntax.trouble import Trouble
from dlspec.syntax.word_rules import (
    chained_comparison,
    equals,
    homeless_statement,
    keyword_as_name,
    nested_declaration,
)

if TYPE_CHECKING:
    from lark import Lark, UnexpectedInput


# Rules that recognise an error by the words around it. The first that knows the case gives the message.
RULES: list[Callable[[Trouble], Diagnostic | None]] = [
    strange_character,
    open_string,
    bad_number,
    missing_closer,
    stray_closer,
    equals,
    chained_comparison,
    keyword_as_name,
    nested_declaration,
    homeless_statement,
    not_a_statement,
    not_a_declaration,
    anything_else,
]


@dataclass(slots=True)
class Explained:
    """An error and how to go on after it."""

    diagnostic: Diagnostic
    place: int
    """How far the parser came."""
    hole: tuple[int, int] | None
    """What to blank out, if the rest of the declaration can be parsed without it."""
    declaration: int
    """Where that declaration starts."""
    resume: int | None
    """Otherwise, where the next one starts."""


def explain_error(source: Source, text: str, start: int, error: UnexpectedInput, lark: Lark) -> Explained:
    """Explain the error of a parse from `start`. `text` is that of the source but for what was blanked out."""
    trouble = _trouble(source, text, start, error, lark)
    diagnostic = next(found for rule in RULES if (found := rule(trouble)))
    place = trouble.found.start if trouble.found else len(text)
    brackets = trouble.around.open
    return Explained(
        diagnostic,
        place,
        hole=faulty_statement(trouble.around, text, diagnostic.code, trouble.early),
        declaration=declaration_before(text, start, brackets[0].bracket.start if brackets else start),
        resume=next_declaration(text, max(place, start + 1)),
    )


def _trouble(source: Source, text: str, start: int, error: UnexpectedInput, lark: Lark) -> Trouble:
    token = getattr(error, "token", None)
    place = error.pos_in_stream
    if place is None or (token is not None and token.type == "$END"):
        place = len(text)
    around = look_around(source, text, start, place)
    last = around.before[-1] if around.before else None
    if last and last.start > start and (starts_declaration(around, last) or _starts_statement(around)):
        # `model` or the next statement's name was read as a value, because the one before is not complete.
        accepted = _error_before(text, start, last.start, lark)
        if accepted is not None:
            around.after.insert(0, around.before.pop())
            return Trouble(around, accepted, lark, last.start, early=True)
    accepted = _accepted(error)
    return Trouble(around, accepted, lark, place)


def _error_before(text: str, start: int, end: int, lark: Lark) -> set[str] | None:
    """What the parser would accept at `end`, or None if the text might end there."""
    from lark import TextSlice, UnexpectedInput

    try:
        lark.parse(TextSlice(text, start, end))
    except UnexpectedInput as error:
        return _accepted(error)
    return None


def _accepted(error: Any) -> set[str]:
    """The terminals that the parser could go on with. Lark's type of errors does not tell of the parser in them."""
    return set(error.interactive_parser.accepts())


def _starts_statement(around: Surroundings) -> bool:
    """`x = y +` and on the next line `z = 3`: the trouble is not the second `=`."""
    if len(around.before) < 2 or not around.after:
        return False
    sign, name = around.before[-2:]
    begins = name.kind == "name" and name.first and around.after[0].text == "="
    return begins and sign.kind == "sign" and sign.text not in (",", *PAIRS, *PAIRS.values())

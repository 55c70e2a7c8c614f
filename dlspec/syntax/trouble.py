"""A syntax error: where the parser stopped, and what it could have gone on with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dlspec.diagnostics import Diagnostic
from dlspec.syntax import expected
from dlspec.syntax.scan import Surroundings, Word
from dlspec.syntax.source import Span

if TYPE_CHECKING:
    from lark import Lark

RESERVED = ("and", "or", "not", "if", "then", "else", "true", "false", "none")
STATEMENT_WORDS = ("input", "output", "for", "repeat", "minimize")
ENTRY_WORDS = ("step", "copy")
CLOSERS = {")": "RPAR", "]": "RSQB", "}": "RBRACE"}


@dataclass
class Trouble:
    """Where the parser stopped: the words around the place and the terminals it would have accepted."""

    around: Surroundings
    accepted: set[str]
    lark: Lark
    place: int
    early: bool = False  # the parser itself came a word further, because that could be read in two ways

    @property
    def found(self) -> Word | None:
        """The word that does not fit, None at the end of the file."""
        return self.around.after[0] if self.around.after else None

    @property
    def last(self) -> Word | None:
        """The word before it."""
        return self.around.before[-1] if self.around.before else None

    @property
    def next(self) -> Word | None:
        """The word after it."""
        return self.around.after[1] if len(self.around.after) > 1 else None

    @property
    def span(self) -> Span:
        """The place of the word that does not fit, or the very end."""
        if self.found:
            return self.around.at(self.found)
        end = len(self.around.source.text.rstrip())
        return Span(self.around.source, end, end)

    @property
    def at_name(self) -> bool:
        """Whether a statement or setting has just begun with a name."""
        return "EQUAL" in self.accepted and self.accepted <= {"EQUAL", "COMMA", "LBRACE"}

    def expected(self) -> str:
        """What would have fitted, in words."""
        return expected.in_words(self.accepted, self.lark)

    def is_found(self, *texts: str) -> bool:
        """Whether the word that does not fit is one of these."""
        return self.found is not None and self.found.text in texts

    def unexpected(self, hint: str | None = None) -> Diagnostic:
        """What was expected and what was found."""
        found, wanted = self.found, self.expected()
        if found is None:
            message = f"expected {wanted}, but the file ends here"
            return Diagnostic("DLS0101", message, self.span, hint=hint)
        text = found.text if len(found.text) <= 30 else found.text[:27] + "..."
        quoted = text if found.kind == "string" else f"`{text}`"
        message = f"expected {wanted}, found {quoted}"
        return Diagnostic("DLS0101", message, self.span, "not expected", hint=hint)

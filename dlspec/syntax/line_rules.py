"""Syntax errors of whole lines: what starts neither a statement nor a declaration."""

from __future__ import annotations

from dlspec.diagnostics import Diagnostic
from dlspec.diagnostics.suggest import closest
from dlspec.syntax import expected
from dlspec.syntax.scan import DECLARATIONS
from dlspec.syntax.trouble import ENTRY_WORDS, STATEMENT_WORDS, Trouble

# What others write, and what is written here instead.
FOREIGN = {
    "elif": "write `else if`",
    "elseif": "write `else if`",
    "def": "write `block NAME(...) { ... }`",
    "class": "write `block NAME(...) { ... }` or `model NAME(...) { ... }`",
    "function": "write `block NAME(...) { ... }`",
    "network": "write `model NAME { ... }`",
    "net": "write `model NAME { ... }`",
    "layer": "a layer is a stage of a pipe: `x -> Linear(64)`",
    "return": "write `output VALUE`",
    "while": "loops have a known end: `for i in 0..n { ... }` or `repeat n { ... }`",
    "lambda": "write a `block`",
    "var": "write `NAME = VALUE`",
    "const": "write `let NAME = VALUE`",
    "using": 'write `import "file.dls"`',
    "include": 'write `import "file.dls"`',
    "dataset": "write `data NAME { ... }`",
    "training": "write `train MODEL on DATA { ... }`",
    "loss": "write `loss = VALUE` in a `train`, or `minimize VALUE` in a `step`",
}


def not_a_statement(trouble: Trouble) -> Diagnostic | None:
    """A line that starts with a name and then is no assignment."""
    found, last = trouble.found, trouble.last
    if not trouble.at_name or not last or not found:
        return None
    span = trouble.around.at(last)
    if hint := FOREIGN.get(last.text):
        return Diagnostic("DLS0101", f"`{last.text}` is not a word of the language", span, hint=hint)
    if trouble.is_found(":"):
        return trouble.unexpected(f"write `{last.text} = ...`")
    if trouble.next and trouble.next.text == "=" and trouble.is_found("+", "-", "*", "/"):
        return trouble.unexpected(f"write `{last.text} = {last.text} {found.text} ...`")
    if _is_continuation(trouble):
        return trouble.unexpected(f"is a `->` or an operator missing before `{last.text}`?")
    if found.text in ("->", "(", "[", ".", "+", "-", "*", "/", "@"):
        hint = "give it a name (`x = ...`) or put it out (`output ...`)"
        return Diagnostic("DLS0113", "a value on its own is not a statement", span, "unused", hint=hint)
    if found.kind == "name" and (word := closest(last.text, (*STATEMENT_WORDS, "if", *ENTRY_WORDS))):
        hint = f"did you mean `{word}`?"
        return Diagnostic("DLS0101", f"`{last.text}` does not start a statement", span, hint=hint)
    return None


def _is_continuation(trouble: Trouble) -> bool:
    """Whether the name that seems to start a statement follows a value on the same line."""
    *_, before, last = [None, *trouble.around.before]
    if last is None or before is None or last.first:
        return False
    return (
        before.kind in ("name", "number", "string") and before.text not in STATEMENT_WORDS
    ) or before.text in ")]"


def not_a_declaration(trouble: Trouble) -> Diagnostic | None:
    """A word at the top of a file that starts nothing."""
    found = trouble.found
    if not found or found.kind != "name" or "LET" not in trouble.accepted or trouble.around.open:
        return None
    if "AND" in trouble.accepted and not found.first:
        return None
    hint = FOREIGN.get(found.text)
    if not hint and (word := closest(found.text, DECLARATIONS)):
        hint = f"did you mean `{word}`?"
    words = expected.listing([f"`{word}`" for word in DECLARATIONS], "or")
    message = f"`{found.text}` does not start a declaration"
    return Diagnostic("DLS0101", message, trouble.span, f"expected {words}", hint=hint)


def anything_else(trouble: Trouble) -> Diagnostic:
    """What was expected and what was found."""
    found, last = trouble.found, trouble.last
    hint = FOREIGN.get(found.text) if found else None
    if found and found.text == "=>":
        hint = "a pipe is written `->`"
    if last and last.text == "repeat":
        hint = "a `repeat` in an expression is a stage: `x -> repeat 3 { ... }`"
    if found and found.text == "," and "INPUT" in trouble.accepted:
        hint = "several values are written in parentheses: `(a, b)`"
    return trouble.unexpected(hint)

"""Syntax errors of words and signs: confused, reserved, or at the wrong place."""

from __future__ import annotations

from dlspec.diagnostics import Diagnostic
from dlspec.syntax.scan import DECLARATIONS
from dlspec.syntax.source import Span
from dlspec.syntax.trouble import ENTRY_WORDS, RESERVED, STATEMENT_WORDS, Trouble

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")
_HOMES = {
    **dict.fromkeys((*STATEMENT_WORDS, "if"), "a `block` or `model`"),
    **dict.fromkeys(("minimize", *ENTRY_WORDS), "a `train`"),
}


def equals(trouble: Trouble) -> Diagnostic | None:
    """`=` for `==` and the other way round."""
    if trouble.is_found("=") and "COMPARE" in trouble.accepted:
        hint = "to compare, write `==`"
        return Diagnostic(
            "DLS0107", "`=` gives a name its value, it does not compare", trouble.span, hint=hint
        )
    if trouble.is_found("==") and trouble.found and trouble.place == trouble.found.start + 1:
        hint = "to give the name a value, write `=`"
        return Diagnostic("DLS0107", "`==` compares, it does not give a value", trouble.span, hint=hint)
    return None


def chained_comparison(trouble: Trouble) -> Diagnostic | None:
    """`a < b < c`."""
    if not trouble.is_found(*COMPARISONS) or "AND" not in trouble.accepted or "COMPARE" in trouble.accepted:
        return None
    message = "comparisons cannot be chained"
    return Diagnostic("DLS0108", message, trouble.span, "a second one", hint="write `a < b and b < c`")


def keyword_as_name(trouble: Trouble) -> Diagnostic | None:
    """`input if: ...`, `output = x`."""
    found, last = trouble.found, trouble.last
    if found and found.text in RESERVED and "NAME" in trouble.accepted and "AND" not in trouble.accepted:
        return _keyword(trouble.span, found.text)
    if last and last.text in STATEMENT_WORDS + RESERVED and trouble.is_found("=", ","):
        return _keyword(trouble.around.at(last), last.text)
    if found and found.text in RESERVED and trouble.next and trouble.next.text == "=":
        return _keyword(trouble.span, found.text)
    return None


def _keyword(span: Span, word: str) -> Diagnostic:
    hint = f"use another name, such as `{word}_`"
    if word == "output":
        hint = "write `output VALUE` or `output NAME = VALUE`, or use another name"
    return Diagnostic(
        "DLS0106", f"`{word}` is a word of the language and cannot be a name here", span, hint=hint
    )


def nested_declaration(trouble: Trouble) -> Diagnostic | None:
    """A declaration inside another."""
    found, word, around = trouble.found, trouble.last, trouble.around
    if not (found and word and word.text in DECLARATIONS and trouble.at_name and around.open):
        return None
    if found.kind not in ("name", "string") and found.text != "{":
        return None
    message = f"`{word.text}` stands at the top of a file, not inside the `{around.open[-1].opener.text}`"
    hint = f"write `{found.text} = ...`" if word.text == "let" else "move it out of the braces"
    return Diagnostic("DLS0114", message, around.at(word), "does not belong here", hint=hint)


def homeless_statement(trouble: Trouble) -> Diagnostic | None:
    """A statement outside of all declarations."""
    found = trouble.found
    if not found or found.kind != "name" or "LET" not in trouble.accepted or trouble.around.open:
        return None
    if home := _HOMES.get(found.text):
        message = f"`{found.text}` belongs inside {home}, not at the top of a file"
        return Diagnostic("DLS0114", message, trouble.span, "does not belong here")
    if trouble.next and trouble.next.text == "=":
        message = "a value at the top of a file is declared with `let`"
        return Diagnostic("DLS0114", message, trouble.span, hint=f"write `let {found.text} = ...`")
    return None

"""Syntax errors within a word: strange characters, strings without an end, things that are almost numbers."""

from __future__ import annotations

import re

from dlspec.diagnostics import Diagnostic
from dlspec.syntax.lookalikes import ascii_form, name_of, remark
from dlspec.syntax.source import Span
from dlspec.syntax.trouble import Trouble

_NUMBER = re.compile(r"[0-9]+(_[0-9]+)*(\.[0-9]+(_[0-9]+)*)?([eE][+-]?[0-9]+)?")


def strange_character(trouble: Trouble) -> Diagnostic | None:
    """A character that is not of the language."""
    text = trouble.around.source.text
    character = text[trouble.place] if trouble.place < len(text) else "a"
    if character.isascii() and not remark(character) and character not in "`":
        return None
    if character == "!" and text[trouble.place + 1 : trouble.place + 2] == "=":
        return None
    width = 2 if text[trouble.place : trouble.place + 2] in ("&&", "||") else 1
    span = Span(trouble.around.source, trouble.place, trouble.place + width)
    written = ascii_form(character)
    shown = character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
    message = f"the character `{shown}` is not of the language"
    if character.isascii():
        return Diagnostic(
            "DLS0103", message.replace(shown, span.text), span, "not here", hint=remark(character)
        )
    hint = "outside strings and comments a spec is plain ASCII"
    if written:
        hint = "write a plain space" if written == " " else f"write `{written}`"
    return Diagnostic("DLS0103", message, span, f"this is {name_of(character)}", hint=hint)


def open_string(trouble: Trouble) -> Diagnostic | None:
    """A string without its closing quote."""
    if not trouble.found or trouble.found.kind != "open_string":
        return None
    hint = 'a string ends on its line; write `\\n` for a line break and `\\"` for a quote'
    return Diagnostic("DLS0102", 'this string has no closing `"`', trouble.span, "starts here", hint=hint)


def bad_number(trouble: Trouble) -> Diagnostic | None:
    """`8x8`, `.5`, `1.`"""
    found, last, after = trouble.found, trouble.last, trouble.next
    source = trouble.around.source
    if found and found.kind == "number" and not _NUMBER.fullmatch(found.text):
        message = f"`{found.text}` is neither a number nor a name"
        hint = "numbers are written `12`, `0.5`, `1e-3`, `1_000`; a name starts with a letter"
        return Diagnostic("DLS0109", message, trouble.span, "not a number", hint=hint)
    if found and after and found.text == "." and after.kind == "number" and after.start == found.end:
        span = Span(source, found.start, after.end)
        return Diagnostic("DLS0109", "a number starts with a digit", span, hint=f"write `0.{after.text}`")
    if last and last.text == "." and len(trouble.around.before) > 1:
        number = trouble.around.before[-2]
        if number.kind == "number" and number.end == last.start:
            span = Span(source, number.start, last.end)
            return Diagnostic("DLS0109", "a number ends with a digit", span, hint=f"write `{number.text}.0`")
    return None

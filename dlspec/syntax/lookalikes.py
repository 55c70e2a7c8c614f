"""Characters that are not of the language but look like, or stand in another language for, some that are."""

from __future__ import annotations

import unicodedata

# What the character is written as here.
_WRITTEN = {
    "'": '"', "‘": '"', "’": '"', "‚": '"', "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "`": '"', "´": '"',
    "→": "->", "⟶": "->", "⇒": "->", "➔": "->", "➜": "->", "↦": "->", "▷": "->",
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "×": "*", "·": "*", "∙": "*", "⋅": "*", "∗": "*", "÷": "/",
    "≤": "<=", "≥": ">=", "≠": "!=", "≈": "==", "…": "...", "‥": "..", "∧": "and", "∨": "or", "¬": "not",
    "&": "and", "|": "or", "!": "not", "^": "**", "²": "**2", "³": "**3",
}  # fmt: skip

_REMARKS = {
    "'": "strings are in double quotes",
    ";": "a statement needs no `;` at its end",
    "?": "a choice is written `if condition then a else b`",
    "$": "a constant is named without a `$`",
    "~": "a condition is turned round with `not`",
    "\\": "a line may simply go on in the next one",
    "&": "write `and`",
    "|": "write `or`, and `->` for a pipe",
    "!": "write `not`",
    "^": "a power is written `**`",
}

# Cyrillic and Greek letters that most typefaces draw like a Latin one.
_LETTERS = str.maketrans("авсԁеһіјӏорԛѕуԝхАВСЕНІЈКМОРЅТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧαιοντυγ",
                         "abcdehijlopqsywxABCEHIJKMOPSTYXABEZHIKMNOPTYXaiovtuy")  # fmt: skip


def ascii_form(character: str) -> str | None:
    """How a character that is not of the language is written in it, if anything like it is."""
    if character in _WRITTEN:
        return _WRITTEN[character]
    if (plain := character.translate(_LETTERS)).isascii():
        return plain
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return bare.strip() or (" " if character.isspace() else None)


def remark(character: str) -> str | None:
    """What to say of an ASCII character that other languages use."""
    return _REMARKS.get(character)


def name_of(character: str) -> str:
    """`U+0430 CYRILLIC SMALL LETTER A`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()

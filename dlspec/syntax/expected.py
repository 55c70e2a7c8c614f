"""What the grammar would accept at a place, in the user's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

VALUES = {"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "NONE", "LPAR", "LSQB", "LBRACE", "MINUS", "NOT", "IF"}
DECLARING = {"IMPORT", "LET", "BLOCK", "MODEL", "DATA", "TRAIN", "EXPORT", "SWEEP"}
JOINING = {"FROM", "ON", "OF", "IN", "TO", "WITH", "EVERY", "UPDATES"}
STATEMENTS = {"INPUT", "OUTPUT", "FOR", "IF", "REPEAT", "MINIMIZE"}
ENTRIES = {"STEP", "COPY"}
WORDS = DECLARING | JOINING | STATEMENTS | ENTRIES | {"NAME"}

# A set of terminals that stands for more than its members, its name, and what it swallows. The first that fits counts.
_GROUPS = [
    ({"NUMBER", "NAME"}, "a value", VALUES | {"REPEAT", "ELLIPSIS"}),
    ({"INPUT", "NAME", "IF"}, "a statement", WORDS),
    ({"STEP", "NAME"}, "a setting", WORDS),
    ({"LET", "MODEL"}, "a declaration such as `model` or `data`", DECLARING),
    ({"NAME"}, "a name", {"NAME"}),
]

# After an operand any operator could follow; naming them all would hide what matters.
_OPERATORS = {
    "PLUS",
    "MINUS",
    "PRODUCT",
    "POWER",
    "COMPARE",
    "AND",
    "OR",
    "LPAR",
    "LSQB",
    "DOT",
    "PIPE",
    "RANGE",
}


def in_words(accepted: set[str], lark: Lark) -> str:
    """`a value or `)``: the terminals that would be accepted, for a message."""
    left = set(accepted)
    words: list[str] = []
    if "AND" in left or "PLUS" in left:
        left -= _OPERATORS
    if "RPAR" in left:
        left.discard("EQUAL")  # of a keyword argument, which is seldom what is missing
    for members, word, swallowed in _GROUPS:
        if members <= left:
            words.append(word)
            left -= swallowed
    shown = sorted(_written(name, lark) for name in left if name != "$END")
    words += shown
    if "$END" in left:
        words.append("the end of the file")
    return listing(words, "or") or "nothing more"


def listing(words: list[str], joint: str) -> str:
    """`a, b or c`."""
    return f" {joint} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _written(name: str, lark: Lark) -> str:
    if name in ("STRING", "NUMBER"):
        return {"STRING": "a string", "NUMBER": "a number"}[name]
    if name == "COMPARE":
        return "a comparison"
    return f"`{lark.get_terminal(name).pattern.value.removesuffix(chr(92) + 'b')}`"

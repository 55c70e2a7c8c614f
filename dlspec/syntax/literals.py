"""The values of numbers and strings as they are written."""

from __future__ import annotations

import re
from math import isinf

from dlspec.diagnostics import Diagnostic
from dlspec.syntax.source import Span

LARGEST = 2**64 - 1  # seeds are the largest integers that a spec needs
ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)


def read_number(text: str, span: Span, problems: list[Diagnostic]) -> int | float:
    """`1`, `1_000`, `0.5`, `1e-3`. What does not fit is reported and read as 0."""
    plain = text.replace("_", "")
    whole = plain.isdigit()
    if whole and len(plain.lstrip("0")) <= 20 and int(plain) <= LARGEST:
        return int(plain)
    if not whole and not isinf(value := float(plain)):
        return value
    kind, limit = ("integers", "2**64 - 1") if whole else ("numbers", "1.7e308")
    message = f"this number is too large: {kind} go up to {limit}"
    problems.append(Diagnostic("DLS0109", message, span, "does not fit"))
    return 0


def read_string(text: str, span: Span, problems: list[Diagnostic]) -> str:
    r"""What a quoted text stands for: `\"`, `\\`, `\n`, `\t` and `\uXXXX` are its escapes."""
    inner = text[1:-1]
    if "\\" not in inner:
        return inner

    def replace(match: re.Match[str]) -> str:
        escape = match[1]
        if escape in ESCAPES:
            return ESCAPES[escape]
        code = int(escape[1:], 16) if len(escape) == 5 else 0
        if code and not 0xD800 <= code < 0xE000:
            return chr(code)
        start = span.start + 1 + match.start()
        problems.append(_bad_escape(match[0], Span(span.source, start, start + len(match[0]))))
        return ""

    return _ESCAPE.sub(replace, inner)


def _bad_escape(escape: str, place: Span) -> Diagnostic:
    if len(escape) == 6:
        message, hint = f"`{escape}` is not a character", "NUL and surrogates cannot be written"
    else:
        message = f"`{escape}` is not an escape of this language"
        hint = r"the escapes are `\"`, `\\`, `\n`, `\t` and `\uXXXX`; write `\\` for a backslash"
    return Diagnostic("DLS0110", message, place, "in this string", hint=hint)

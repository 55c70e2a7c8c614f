"""Reads the text of a spec, and refuses what no spec needs and an attacker may like."""

from __future__ import annotations

import re
from pathlib import Path

from dlspec.diagnostics import Diagnostic, SpecError, fail
from dlspec.syntax.source import Source, Span

LARGEST = 2 * 2**20  # bytes of one file; a net of a thousand different layers needs a twentieth of it

# Control characters, and those that make text show in another order than it is read in.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(path: str | Path) -> str:
    """The text of a file, which has to be UTF-8."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise fail("DLS0112", f"cannot read `{path}`: {reason}") from None
    if len(data) > LARGEST:
        raise fail("DLS0112", f"`{path}` is larger than {LARGEST >> 20} MiB, the most that a spec may have")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_utf8(str(path), data, error) from None


def _not_utf8(path: str, data: bytes, error: UnicodeDecodeError) -> SpecError:
    text = error.object  # without a byte order mark
    start = len(text[: error.start].decode("utf-8", "replace"))
    source = Source(path, text.decode("utf-8", "replace"))
    if data.startswith(_UTF_16):
        return fail("DLS0112", f"`{path}` is UTF-16, and specs are UTF-8", hint="save the file as UTF-8")
    return fail(
        "DLS0112",
        f"`{path}` is not UTF-8: the byte 0x{text[error.start]:02x} does not belong there",
        Span(source, start, start + 1),
        "cannot be decoded",
        hint="save the file as UTF-8",
    )


def forbidden_characters(source: Source) -> list[Diagnostic]:
    """A diagnostic for each control or direction-changing character."""
    return [
        Diagnostic(
            "DLS0103",
            f"the character U+{ord(match[0]):04X} cannot stand in a spec",
            Span(source, match.start(), match.end()),
            "invisible here",
            hint="remove it; in a string it can be written as an escape such as `\\u00a0`",
        )
        for match in _FORBIDDEN.finditer(source.text)
    ]

"""The error specification: every bad spec gives exactly the diagnostics written in the file beside it.

`UPDATE_GOLDENS=1 pytest tests/errors` writes what is given now; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import dlspec
from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.diagnostics.catalogue import entries
from dlspec.diagnostics.render import render_all
from dlspec.elaborate.program import load_program

FOLDER = Path(__file__).parent / "specs"
SPECS = sorted(FOLDER.glob("*.dls"))  # those in specs/lib are imported by others


def diagnostics(path: Path) -> list[Diagnostic]:
    """The errors of a spec."""
    try:
        load_program(path)
    except SpecError as error:
        return error.diagnostics
    return []


def told(found: list[Diagnostic]) -> str:
    """What the user sees, with paths made independent of the machine."""
    return render_all(found).replace(f"{FOLDER}{os.sep}", "") + "\n"


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_bad_spec(path: Path) -> None:
    found = diagnostics(path)
    given = told(found)
    golden = path.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text(given, encoding="utf-8")
    assert found, "a bad spec that passes"
    assert given == golden.read_text(encoding="utf-8")
    for diagnostic in found:
        check_style(diagnostic)
    check_several(found)


def check_style(diagnostic: Diagnostic) -> None:
    """One sentence without a full stop, a label that says something, nothing of Python's own words."""
    message = diagnostic.message
    assert not message.endswith((".", "!"))
    assert "\n" not in message
    assert diagnostic.label != "here"
    texts = [message, diagnostic.label, diagnostic.hint or "", *(note.text for note in diagnostic.notes)]
    for word in ("NoneType", "Traceback", "object at 0x", "<class", "pydantic", "Handle", "DLS0"):
        assert not any(word in text for text in texts)


def check_several(found: list[Diagnostic]) -> None:
    """In the order of the source, and no place twice."""
    places = [(d.span.source.name, d.span.start, d.span.end) for d in found if d.span is not None]
    assert [p[:2] for p in places] == sorted(p[:2] for p in places)
    assert len(set(places)) == len(places)


def test_there_are_enough() -> None:
    assert len(SPECS) >= 60


def test_every_code_of_a_spec_has_a_bad_spec() -> None:
    shown = {
        code
        for path in FOLDER.glob("*.txt")
        for code in re.findall(r"error\[(DLS\d+)\]", path.read_text("utf-8"))
    }
    assert {code for code in entries() if code < "DLS0700"} - shown == {"DLS0607"}


def test_a_text_cannot_import() -> None:
    with pytest.raises(SpecError) as caught:
        dlspec.loads('import "parts.dls"')
    assert [d.code for d in caught.value.diagnostics] == ["DLS0607"]


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("several-at-once", [3, 4, 6]),
        ("several-blocks", [4, 10, 12, 20]),
        ("several-declarations", [2, 12, 16, 17, 18, 28, 29, 35, 38]),
        ("several-settings", [12, 13, 14, 14, 15, 16]),
        ("several-without-echo", [9, 14]),
        ("several-in-branches", [3, 3]),
    ],
)
def test_independent_mistakes_are_told_together(name: str, lines: list[int]) -> None:
    """Each once, in the order of the source; what depends on a mistake is not told again."""
    found = diagnostics(FOLDER / f"{name}.dls")
    assert [d.span.source.position(d.span.start)[0] for d in found if d.span] == lines

"""How diagnostics look."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.render import render, render_all, to_json
from dlspec.syntax.source import Source, Span

TAGGER = Source(
    "specs/sequence/tagger.dls",
    "\n" * 11 + "  h = words -> Embedding(5000, 64) -> transpose\n\n    -> Linear(128) -> relu\n",
)


def span(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return Span(source, start, start + len(text))


def tagger() -> Diagnostic:
    return Diagnostic(
        "DLS0302",
        "Linear expects the last dimension to be known, but here it is `T`",
        span(TAGGER, "Linear(128)"),
        "needs a fixed size on axis -1",
        [Note(span(TAGGER, "transpose"), "f32[N, 64, T] comes from here")],
        "remove `transpose`, or give `T` a size in `input words: i64[N, T]`",
    )


def test_example_of_the_language_reference() -> None:
    assert render(tagger()) == (
        """
error[DLS0302]: Linear expects the last dimension to be known, but here it is `T`
  --> specs/sequence/tagger.dls:14:8
   |
12 |   h = words -> Embedding(5000, 64) -> transpose
   |                                       --------- f32[N, 64, T] comes from here
14 |     -> Linear(128) -> relu
   |        ^^^^^^^^^^^ needs a fixed size on axis -1
   = hint: remove `transpose`, or give `T` a size in `input words: i64[N, T]`
""".strip("\n")
    )


def test_colour_adds_nothing_but_colour() -> None:
    coloured = render(tagger(), color=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render(tagger())


def test_without_a_place() -> None:
    diagnostic = Diagnostic("DLS0801", "no such file", hint="look again", severity="warning")
    assert render(diagnostic) == "warning[DLS0801]: no such file\n  = hint: look again"


def test_other_file_has_its_own_part() -> None:
    other = Source("parts.dls", "block Part { }\n")
    diagnostic = tagger()
    diagnostic.notes.append(Note(span(other, "Part"), "declared here"))
    assert render(diagnostic).split("\n")[7:-1] == [
        "  ::: parts.dls:1:7",
        "   |",
        " 1 | block Part { }",
        "   |       ---- declared here",
    ]


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.mark.parametrize(
    "line", ["\tx = HERE", "a\tb\tHERE", "漢字 HERE", "\x1b[31m HERE", "x" * 500 + " HERE " + "y" * 500]
)
def test_underline_is_below_its_word(line: str) -> None:
    source = Source("a.dls", line + "\n")
    _, _, _, shown, marks = render(Diagnostic("DLS0101", "m", span(source, "HERE"), "label")).split("\n")
    assert "\x1b" not in shown
    assert columns(shown) < 130
    assert columns(shown[: shown.index("HERE")]) == marks.index("^^^^")
    assert marks.endswith("^^^^ label")


def test_several_lines() -> None:
    source = Source("a.dls", "model A {\n  x = 1\n  y = 2\n}\n")
    shown = render(Diagnostic("DLS0101", "m", Span(source, 8, len(source.text) - 1), "all of it"))
    assert shown.split("\n")[3:] == ["1 | model A {", "  |         ^", "4 | }", "  | ^ all of it"]


@pytest.mark.parametrize("text", ["", "a", "a\n", "a\n\n"])
def test_end_of_file(text: str) -> None:
    source = Source("a.dls", text)
    assert "^" in render(Diagnostic("DLS0101", "m", Span(source, len(text), len(text))))


def test_no_text_of_a_spec_steers_the_terminal() -> None:
    source = Source("a\x1b.dls", "x\x9b\u202e\x07")
    text = render(Diagnostic("DLS0101", "m\x1b\n", Span(source, 0, 4), "l\u2066", hint="h\r"))
    assert not set(text) & set("\x1b\x9b\u202e\x07\u2066\r")


def test_json() -> None:
    data = json.loads(json.dumps(to_json(tagger())))
    assert data["place"]["file"] == "specs/sequence/tagger.dls"
    assert data["place"]["start"] == {"line": 14, "column": 8, "offset": 67}
    assert data["place"]["end"] == {"line": 14, "column": 19, "offset": 78}
    assert data["notes"][0]["text"] == "f32[N, 64, T] comes from here"
    assert to_json(Diagnostic("DLS0801", "m"))["place"] is None


def test_several_and_the_exception() -> None:
    assert render_all([tagger(), tagger()]).count("\n\nerror[") == 1
    error = fail("DLS0101", "wrong")
    assert isinstance(error, SpecError)
    assert str(error) == "DLS0101: wrong"

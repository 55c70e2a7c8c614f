"""What is said of a text that is not a spec. Cases are a text, the code, and what is underlined."""

from __future__ import annotations

import pytest

from dlspec.diagnostics import Diagnostic, SpecError
from dlspec.syntax.parser import MOST_ERRORS, parse_text


def errors(text: str) -> list[Diagnostic]:
    """The errors of a text, which has to have some."""
    with pytest.raises(SpecError) as caught:
        parse_text(text)
    return caught.value.diagnostics


def in_model(text: str) -> str:
    return f"model M {{\n  {text}\n}}\n"


STATEMENTS = [
    ("x = f(a b)", "DLS0101", "b"),
    ("x = f(a + )", "DLS0101", ")"),
    ("x = a Linear(3)", "DLS0101", "("),
    ("x = y, z", "DLS0101", ","),
    ("x += 3", "DLS0101", "+"),
    ("x: 3", "DLS0101", ":"),
    ("return x", "DLS0101", "return"),
    ("outptu x", "DLS0101", "outptu"),
    ("x = repeat 3 { relu }", "DLS0101", "3"),
    ("x = if a then b", "DLS0101", "}"),
    ("x = a =>b", "DLS0101", "=>"),
    ('x = "abc', "DLS0102", '"abc'),
    ('x = "abc\\', "DLS0102", '"abc'),
    ("x = y → relu", "DLS0103", "→"),
    ("x = 'same'", "DLS0103", "'"),
    ("x = “same”", "DLS0103", "“"),
    ("cоnv = y", "DLS0103", "о"),  # a Cyrillic letter
    ("x = a\u00a0+ b", "DLS0103", "\u00a0"),
    ("x = a && b", "DLS0103", "&&"),
    ("x = a; y = b", "DLS0103", ";"),
    ("x = a \u202e+ b", "DLS0103", "\u202e"),
    ("x = a \x00", "DLS0103", "\x00"),
    ("y = f(x, 3\n  z = 3\n  w = 4", "DLS0104", "("),
    ("y = [1, 2", "DLS0104", "["),
    ("y = f(x, 3\n  output y", "DLS0104", "("),
    ("y = (a + ]", "DLS0105", "]"),
    ("y = a)", "DLS0105", ")"),
    ("output = 3", "DLS0106", "output"),
    ("input if: f32", "DLS0106", "if"),
    ("then = 3", "DLS0106", "then"),
    ("x = f(if = 3)", "DLS0106", "if"),
    ("if a = 3 { }", "DLS0107", "="),
    ("x == 3", "DLS0107", "=="),
    ("x = a < b < c", "DLS0108", "<"),
    ("x = 1 == 2 != 3", "DLS0108", "!="),
    ("x = 8x8", "DLS0109", "8x8"),
    ("x = .5", "DLS0109", ".5"),
    ("x = 1.", "DLS0109", "1."),
    ("x = 1e999", "DLS0109", "1e999"),
    (f"x = {2**64}", "DLS0109", str(2**64)),
    (f"x = {'9' * 10_000}", "DLS0109", "9" * 10_000),
    (r'x = "a\qb"', "DLS0110", r"\q"),
    (r'x = "a\u12"', "DLS0110", r"\u"),
    (r'x = "\ud800"', "DLS0110", r"\ud800"),
    ("x -> relu", "DLS0113", "x"),
    ("Linear(3)", "DLS0113", "Linear"),
    ("repeat 3 { relu }", "DLS0113", "repeat 3 { relu }"),
    ("let x = 3", "DLS0114", "let"),
    ("block A { }", "DLS0114", "block"),
]

FILES = [
    ("modle A { }", "DLS0101", "modle"),
    ("import foo", "DLS0101", "foo"),
    ("def f(x) { }", "DLS0101", "def"),
    ("let x =\nmodel A { }", "DLS0101", "model"),
    ("let x = 1 2", "DLS0101", "2"),
    ("model A", "DLS0101", ""),
    ("3", "DLS0101", "3"),
    ("train A on B { epochs 10 }", "DLS0101", "10"),
    ("train A on B { step g updates A { } }", "DLS0101", "{"),
    ("data D { columns = { a: f32[1], b i64 } }", "DLS0101", "i64"),
    ("model A { x = 3", "DLS0104", "{"),
    ("model A(n = 3 { }", "DLS0104", "("),
    ("model A {\n  for i in x {\n    y = 1\n  output y\n}\nmodel B { }", "DLS0104", "{"),
    ("model A { } }", "DLS0105", "}"),
    ("x = 3", "DLS0114", "x"),
    ("input x: f32", "DLS0114", "input"),
    ("minimize x", "DLS0114", "minimize"),
]


@pytest.mark.parametrize(
    ("text", "code", "underlined"), [(in_model(text), *rest) for text, *rest in STATEMENTS] + FILES
)
def test_error(text: str, code: str, underlined: str) -> None:
    (error,) = errors(text)
    assert error.span is not None
    assert (error.code, error.span.text) == (code, underlined)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "model A {\n  for i in x {\n    y = 1\n  output y\n}\nmodel B { }",
            "`}` to close the `for` opened on line 2",
        ),
        ("\n\nmodel A {\n  y = 1\n", "`}` to close the `model` opened on line 3"),
        ("data D {\n  a = f(1,\n  2\n}\n", "`)` to close the `(` opened on line 2"),
        ("model A { x = f(a b) }", "expected `)` or `,`, found `b`"),
        ("model A { x = 3 + }", "expected a value, found `}`"),
        ("model 3 { }", "expected a name, found `3`"),
        (
            'let x = 1 "two"',
            'expected a declaration such as `model` or `data` or the end of the file, found "two"',
        ),
    ],
)
def test_message(text: str, words: str) -> None:
    assert words in errors(text)[0].message


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("x = y → relu", "write `->`"),
        ("x = “a”", 'write `"`'),
        ("x = a − b", "write `-`"),
        ("cоnv = y", "write `o`"),
        ("x = a × b", "write `*`"),
        ("x = a\u3000b", "write a plain space"),
        ("x = 漢", "outside strings and comments a spec is plain ASCII"),
        ("x = a || b", "write `or`, and `->` for a pipe"),
        ("x += 3", "write `x = x + ...`"),
        ("outptu x", "did you mean `output`?"),
        ("x = a b c", "is a `->` or an operator missing before `b`?"),
        ("if a { } elif b { }", "write `else if`"),
        ("x = .5", "write `0.5`"),
        ("let x = 3", "write `x = ...`"),
    ],
)
def test_hint(text: str, hint: str) -> None:
    assert errors(in_model(text))[0].hint == hint


def test_brace_of_the_right_block_is_blamed() -> None:
    (error,) = errors("model A {\n  repeat 3 {\n    x = 1\n  output x\n}\n\nmodel B {\n  y = 1\n}\n")
    assert error.span is not None
    assert error.span.source.position(error.span.start)[0] == 2
    assert [note.text for note in error.notes] == ["the next `model` starts here"]


MANY = """
model A {
  input x: f32[N, 3
  y = x -> Linear(8x8) -> relu
  z = x ->
    Linear(3 3)
    -> relu
  for i in 0..3 {
    x = x +
    y = a < b < c
    z = f(1, 2
  }
  if a = 3 {
    x = y
  }
  output z
}
data D {
  columns = {
    a: f32[3],
    b i64,
    c: i64
  }
  split: 3
  epochs = 3 3
}
let q = @
export A {
  format = onnx
  let x = 3
  path = "abc
  name = 'abc' x = 1e999
}
"""


def test_independent_errors_are_told_together() -> None:
    found = [(e.code[-2:], e.span.source.position(e.span.start)[0]) for e in errors(MANY) if e.span]
    assert found == [
        ("04", 3), ("09", 4), ("01", 6), ("01", 10), ("08", 10), ("04", 11), ("07", 13),
        ("01", 21), ("01", 24), ("01", 25), ("01", 27), ("14", 30), ("02", 31), ("03", 32),
    ]  # fmt: skip


def test_stray_brackets_hide_no_other_error() -> None:
    found = [error.code for error in errors("model A {\n  x = (a ]\n  y = b)\n  z = 8x8\n}\n")]
    assert found == ["DLS0105", "DLS0105", "DLS0109"]


def test_there_is_an_end_to_errors() -> None:
    assert len(errors("let a = )\n" * 1000)) == MOST_ERRORS
    assert len(errors("let a = 1e999\n" * 1000)) == MOST_ERRORS
    assert len(errors("\x00" * 1000)) == MOST_ERRORS

"""What is read, and where each part of it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlspec.syntax import tree
from dlspec.syntax.parser import parse_file, parse_text
from tests.syntax.walk import brief, children, expression, nodes, shape

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.dls"))

SOFT_WORDS = ["import", "let", "block", "model", "data", "train", "export", "sweep", "from", "on", "of"]
SOFT_WORDS += ["step", "to", "with", "every", "rate", "updates", "copy", "in"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_parse(path: Path) -> None:
    assert parse_file(path).items


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_spans_nest(path: Path) -> None:
    for node in nodes(parse_file(path)):
        for child in children(node):
            assert node.span.start <= child.span.start < child.span.end <= node.span.end


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_span_is_what_was_written(path: Path) -> None:
    """Each expression, cut out by its span and parsed alone, is the same expression."""
    wanted = (tree.Number, tree.Literal, tree.List, tree.Dict, tree.Unary, tree.Binary, tree.Conditional)
    wanted += (tree.Call, tree.Subscript, tree.Attribute, tree.Pipe, tree.Range, tree.Tuple)
    for node in nodes(parse_file(path)):
        if isinstance(node, tree.Name) and not node.span.text.startswith('"'):
            assert node.span.text == node.id
        # The stages of a repeat, alone, would have a ternary that takes the pipes after it.
        if isinstance(node, wanted) and " if " not in node.span.text:
            assert expression(node.span.text) == shape(node)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1 + 2 * 3", "(1 + (2 * 3))"),
        ("1 - 2 - 3", "((1 - 2) - 3)"),
        ("(1 - (2 - 3))", "(1 - (2 - 3))"),
        ("-a ** 2", "(- (a ** 2))"),
        ("a ** -b ** c", "(a ** (- (b ** c)))"),
        ("a @ b // c % d", "(((a @ b) // c) % d)"),
        ("not a == b and c or d", "(((not (a == b)) and c) or d)"),
        ("0..n + 1", "(0 .. (n + 1))"),
        ("0..n == m", "((0 .. n) == m)"),
        ("x -> f -> g", "((x -> f) -> g)"),
        ("x -> (f -> g)", "(x -> (f -> g))"),
        ("x + y -> f * 3", "((x + y) -> (f * 3))"),
        ("y + (x -> f)", "(y + (x -> f))"),
        ("if a then b else c", "(if a then b else c)"),
        # Before a pipe an `if` takes all that follows; as a stage it does not.
        ("if a then x else x -> f -> g", "(if a then x else ((x -> f) -> g))"),
        ("x -> if a then f else g -> h", "((x -> (if a then f else g)) -> h)"),
        ("if a then x -> f else y", "(if a then (x -> f) else y)"),
        ("f(a)(b).c[0]", "f(a)(b).c[0]"),
        ("x -> repeat 3 { f -> g }", "(x -> repeat 3 {(f -> g)})"),
        ("x -> repeat 3 { repeat 2 { f } }", "(x -> repeat 3 {repeat 2 {f}})"),
        ("x -> repeat 3 { repeat 2 { f } -> g }", "(x -> repeat 3 {(repeat 2 {f} -> g)})"),
        ("x -> repeat 3 { if a then f else g -> h }", "(x -> repeat 3 {((if a then f else g) -> h)})"),
        ("x -> repeat n - 1 { y = x }", "(x -> repeat (n - 1) {1 statements})"),
        ("x -> repeat 3 { repeat 2 { x = y } }", "(x -> repeat 3 {1 statements})"),
        ("x -> repeat 3 {}", "(x -> repeat 3 {0 statements})"),
    ],
)
def test_precedence(text: str, meant: str) -> None:
    assert brief(text) == meant


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("1_000", 1000), ("0.5", 0.5), ("1e-3", 0.001), ("2E3", 2000.0), (str(2**64 - 1), 2**64 - 1)],
)
def test_numbers(text: str, value: float) -> None:
    name, found = expression(text)
    assert (name, found, type(found)) == ("Number", value, type(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [('""', ""), (r'"a\"b\\c\nd\te"', 'a"b\\c\nd\te'), (r'"\u00e9\u6f22"', "é漢"), ('"é 漢 #"', "é 漢 #")],
)
def test_strings(text: str, value: str) -> None:
    assert expression(text) == ("String", value)


def test_slices() -> None:
    def number(value: int) -> tuple[str, int]:
        return ("Number", value)

    _, _, indices = expression("x[..., :, 1:, :2, 1:2, ::3, 1:2:3, 4]")
    assert indices == [
        ("Ellipsis",),
        ("Slice", None, None, None),
        ("Slice", number(1), None, None),
        ("Slice", None, number(2), None),
        ("Slice", number(1), number(2), None),
        ("Slice", None, None, number(3)),
        ("Slice", number(1), number(2), number(3)),
        number(4),
    ]


@pytest.mark.parametrize(
    ("text", "dtype", "dims"),
    [("f32[N, ..., 2 * D]", "f32", 3), ("[N, C,]", None, 2), ("i64", "i64", None), ("f32[]", "f32", 0)],
)
def test_tensor_types(text: str, dtype: str | None, dims: int | None) -> None:
    (block,) = parse_text(f"block B {{ input x: {text} y = x }}").items
    assert isinstance(block, tree.Block)
    found = block.body.statements[0]
    assert isinstance(found, tree.Input)
    assert found.type is not None
    assert (found.type.dtype and found.type.dtype.id, found.type.dims and len(found.type.dims)) == (
        dtype,
        dims,
    ) or found.type.dims == []


def test_newlines_mean_nothing() -> None:
    text = (Path(__file__).parent / "examples" / "digits.dls").read_text(encoding="utf-8")
    lines = [line.split("#")[0] for line in text.split("\n")]
    assert shape(parse_text(" ".join(lines))) == shape(parse_text(text))


@pytest.mark.parametrize("word", SOFT_WORDS)
def test_words_are_names_where_they_can_be(word: str) -> None:
    text = f"""
    block B({word} = 1) {{
      input {word}: [N, {word}]
      x = a
      {word} = {word}.{word} -> f({word} = {word}, c = {{ {word}: {word} }})
      {word}, {word} = x
      y = {word}
      for {word} in {word} {{ }}
      output {word}
    }}
    export {word} {{ a = {word} {word} = {word} {word} {{ }} {word} = 1 }}
    train {word} on {word} {{ step {word} updates {word}, {word} with {word} {{ }} copy {word} to {word} every {word} }}
    """
    assert len(parse_text(text).items) == 3


@pytest.mark.parametrize("word", ["input", "output", "for", "repeat", "minimize"])
def test_statement_words_are_names_elsewhere(word: str) -> None:
    text = f"""
    block {word}({word} = 1) {{ input {word}: f32 y = {word} -> f({word} = 1).{word} output {word} }}
    export A {{ a = b {word} = 1 {word} {{ }} }}
    """
    assert len(parse_text(text).items) == 2


def test_keys() -> None:
    assert len(expression('{ input: 1, for: 2, "if": 3, "a b": 4 }')[1]) == 4


def test_keyword_is_a_whole_word() -> None:
    (let,) = parse_text("let iffy = note + truely").items
    assert isinstance(let, tree.Let)
    assert let.name.id == "iffy"


def test_documentation() -> None:
    file = parse_text(
        "# The file.\n# More.\n\nlet a = 1\n# not this\n\n# The block,\n#   all of it.\nblock B {}\ndata D {}\n"
    )
    assert file.doc == "The file.\nMore."
    _, block, data = file.items
    assert isinstance(block, tree.Block)
    assert isinstance(data, tree.Declaration)
    assert (block.doc, data.doc) == ("The block,\n  all of it.", "")


@pytest.mark.parametrize(
    ("text", "doc"),
    [("# of the block\nblock B {}", ""), ("# of the file\nlet a = 1", "of the file"), ("", ""), ("#a", "a")],
)
def test_documentation_of_the_file(text: str, doc: str) -> None:
    assert parse_text(text).doc == doc


@pytest.mark.parametrize("text", ["", "\n", "# nothing", "   # nothing\r\n"])
def test_empty_file(text: str) -> None:
    assert parse_text(text).items == []

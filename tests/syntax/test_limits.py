"""Size, depth, and texts that are not texts: a coded error or a quick answer, never a traceback."""

from __future__ import annotations

import gc
import random
import sys
from pathlib import Path
from time import process_time

import pytest

from dlspec.diagnostics import SpecError
from dlspec.diagnostics.render import render, to_json
from dlspec.syntax import tree
from dlspec.syntax.depth import DEEPEST
from dlspec.syntax.parser import parse_file, parse_text

EXAMPLES = sorted((Path(__file__).parent / "examples").glob("*.dls"))


def codes(text: str) -> list[str]:
    try:
        parse_text(text)
    except SpecError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


def chain(stages: int) -> str:
    return "model M {\n  y = x\n" + "    -> Linear(8, bias = false)\n" * stages + "}\n"


def test_long_chain_of_pipes() -> None:
    (model,) = parse_text(chain(10_000)).items
    assert isinstance(model, tree.Block)
    (assign,) = model.body.statements
    assert isinstance(assign, tree.Assign)
    depth, value = 0, assign.value
    while isinstance(value, tree.Pipe):
        depth, value = depth + 1, value.value
    assert depth == 10_000


def test_time_is_linear() -> None:
    def seconds(text: str) -> float:
        start = process_time()
        parse_text(text)
        return process_time() - start

    parse_text("")
    assert seconds(chain(8_000)) < 20 * min(seconds(chain(800)) for _ in range(3))


DEEP = {
    "parentheses": ("(", "1", ")"),
    "lists": ("[", "1", "]"),
    "dicts": ("{ a: ", "1", "}"),
    "calls": ("f(", "1", ")"),
    "minus": ("- ", "1", ""),
    "not": ("not ", "a", ""),
    "power": ("2 ** ", "2", ""),
    "sums": ("", "1", " + 1"),
    "postfix": ("", "f", "()"),
    "attributes": ("", "f", ".a"),
    "ternaries": ("if a then b else ", "c", ""),
    "stages": ("x -> (", "f", ")"),
    "repeats": ("x -> repeat 2 { y = ", "x", " }"),
}


@pytest.mark.parametrize(("before", "core", "after"), DEEP.values(), ids=DEEP)
def test_depth(before: str, core: str, after: str) -> None:
    def nested(depth: int) -> str:
        return f"let v = {before * depth}{core}{after * depth}"

    assert codes(nested(20)) == []
    if before != "(":  # parentheses leave no trace in the tree
        assert codes(nested(5_000)) == ["DLS0111"]
    else:
        assert codes(nested(5_000)) == []


@pytest.mark.parametrize("statement", ["for i in x", "repeat 2", "if a"])
def test_depth_of_statements(statement: str) -> None:
    assert codes(f"block B {{ {f'{statement} {{' * 20} {'}' * 20} }}") == []
    assert codes(f"block B {{ {f'{statement} {{' * 5_000} {'}' * 5_000} }}") == ["DLS0111"]


def test_else_ifs_are_levels() -> None:
    assert codes("block B { if a { } " + "else if a { } " * (DEEPEST // 2 - 5) + "}") == []
    assert codes("block B { if a { } " + "else if a { } " * 5_000 + "}") == ["DLS0111"]


def test_unclosed_brackets_in_bulk() -> None:
    assert codes("let v = " + "(" * 50_000) == ["DLS0104"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(tmp_path: Path, end: str) -> None:
    path = tmp_path / "a.dls"
    path.write_bytes(f"# doc{end}let a = 1 # one{end}{end}let b = 2{end}".encode())
    assert len(parse_file(path).items) == 2


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.dls"
    path.write_bytes(b"\xef\xbb\xbflet a = 1")
    assert parse_file(path).items[0].span.start == 0
    assert parse_text("\ufefflet a = 1").items[0].span.start == 0


@pytest.mark.parametrize(
    ("data", "code", "column"),
    [
        (b"let a = \xff", "DLS0112", 9),
        (b"\xef\xbb\xbflet a = \xe9", "DLS0112", 9),
        ("let a = 1".encode("utf-16"), "DLS0112", None),
        (b"let a = \x00", "DLS0103", 9),
        (b"# " + b"x" * (5 << 20), "DLS0112", None),
    ],
)
def test_not_a_text(tmp_path: Path, data: bytes, code: str, column: int | None) -> None:
    path = tmp_path / "a.dls"
    path.write_bytes(data)
    with pytest.raises(SpecError) as caught:
        parse_file(path)
    (error,) = caught.value.diagnostics
    assert error.code == code
    assert (error.span and error.span.source.position(error.span.start)[1]) == column


@pytest.mark.parametrize("path", ["missing.dls", ".", "a\0b"])
def test_not_a_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_file(tmp_path / path)
    assert caught.value.diagnostics[0].code == "DLS0112"


def test_collector_is_left_as_it_was() -> None:
    assert gc.isenabled()
    parse_text("let a = 1")
    assert codes("let a = ") == ["DLS0101"]
    assert gc.isenabled()


PIECES = [
    *"{}()[]=,:.+-*/<>!#\"'\\\n \t;@%",
    "->",
    "..",
    "...",
    "if",
    "else",
    "repeat 3 {",
    "let",
    "model",
    "\x00",
    "é",
    "8x",
]


def mutated(text: str, source: random.Random) -> str:
    for _ in range(source.randint(1, 4)):
        place = source.randrange(len(text) + 1)
        match source.randrange(4):
            case 0:
                text = text[:place] + source.choice(PIECES) + text[place:]
            case 1:
                text = text[:place] + text[place + source.randint(1, 30) :]
            case 2:
                text = text[:place] + text[source.randrange(len(text) + 1) :][:40] + text[place:]
            case _:
                text = text[:place]
    return text


@pytest.mark.parametrize("seed", range(150))
def test_mutants_give_diagnostics_or_a_tree(seed: int) -> None:
    source = random.Random(seed)
    text = mutated(source.choice(EXAMPLES).read_text(encoding="utf-8"), source)
    try:
        parse_text(text)
    except SpecError as error:
        for diagnostic in error.diagnostics:
            assert diagnostic.code.startswith("DLS01")
            assert diagnostic.message.isprintable()
            assert render(diagnostic).startswith("error[DLS01")
            assert to_json(diagnostic)["place"]


def test_recursion_limit_is_left_alone() -> None:
    limit = sys.getrecursionlimit()
    parse_text(chain(10))
    assert sys.getrecursionlimit() == limit

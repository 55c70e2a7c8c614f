"""Backends are folders of data; whatever is wrong in one is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.manifest import load_backend
from dlspec.ir.types import parse_type
from dlspec.ops import operator

HEAD = '[backend]\nname = "mine"\n'


def make(folder: Path, text: str) -> str:
    (folder / "backend.toml").write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[backend]\nnmae = 'x'", "unknown key `nmae`"),
        (HEAD + "[opps.add]\ninfix = '+'", "unknown key `opps`"),
        (HEAD + "[ops.ad]\ninfix = '+'", "unknown operator `ad`"),
        (HEAD + "[ops.add]\ninfix = '+'\ncall = 'add'", "exactly one of"),
        (HEAD + "[ops.add]\ninfxi = '+'", "unknown key `infxi`"),
        (HEAD + "[ops.add]\ncall = 'add'\nkwargs = { x = 3 }", "a keyword is"),
        (HEAD + "language = 'perl'", "language cannot be `perl`"),
        (HEAD + "[ops", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        load_backend(make(tmp_path, text))
    assert caught.value.diagnostics[0].code == "DLS0701"


def test_a_backend_that_is_not_there() -> None:
    with pytest.raises(SpecError, match="there is no backend"):
        load_backend("no-such-backend")


def test_the_first_row_that_fits_is_used(tmp_path: Path) -> None:
    backend = load_backend(
        make(
            tmp_path,
            HEAD
            + """
            [[ops.softmax]]
            when = { axis = [1, 2], "x.rank" = 3 }
            call = "inner"
            [[ops.softmax]]
            when = { "x.dtype" = "f64" }
            call = "double"
            """,
        )
    )

    def used(kind: str, axis: int) -> str | None:
        x = parse_type(kind)
        row = backend.row(operator("softmax")(axis=axis).resolve(x), (x,))
        return row and row.text

    assert used("f32[2, 3, 4]", 1) == "inner"
    assert used("f32[2, 3, 4]", 0) is None
    assert used("f64[2, 3, 4]", 0) == "double"
    assert used("f64[2, 3]", 1) == "double"


@pytest.mark.parametrize("name", ["torch", "keras", "onnx"])
def test_the_backends_can_be_read(name: str) -> None:
    assert load_backend(name).name == name

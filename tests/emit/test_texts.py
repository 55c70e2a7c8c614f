"""Texts as numbers: characters, words, tokens; columns and a whole text; the same tokens again, and the text back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.emit.data import print_data
from dlspec.ir.data import DataSet, Source, Vocabulary
from dlspec.ir.graph import Program
from dlspec.ir.types import parse_type
from dlspec.runtime.data_check import check_data
from dlspec.runtime.generation import Choice, generate
from dlspec.runtime.kept import use_kept
from dlspec.runtime.project import load_project
from dlspec.runtime.symbols import read_symbols
from dlspec.weights.store import save_weights

TEXTS = ["the cat and the hat", "the hat \u00e9", "", "the the the the"]


def reviews(kind: str, size: int, folder: Path, length: int = 6) -> DataSet:
    """Texts with numbers beside them; the last is held out."""
    np.savez(folder / "rows.npz", review=TEXTS, stars=np.arange(4))
    return DataSet(
        name="Reviews",
        source=Source(kind="npz", args=(str(folder / "rows.npz"),)),
        columns={"review": parse_type(f"i64[{length}]"), "stars": parse_type("i64")},
        texts=("review",),
        vocabulary=Vocabulary(kind=kind, size=size),
        split={"train": 0.75, "test": 0.25},
        split_rule={"kind": "ordered"},
    )


def book(text: str, folder: Path, kind: str = "bpe", **more: Any) -> DataSet:
    (folder / "book.txt").write_text(text, "utf-8")
    columns = {"text": parse_type("i64[8]"), "next": parse_type("i64[8]")}
    columns |= {"size": parse_type("i64")} if kind == "bpe" else {}
    return DataSet(
        name="Book",
        source=Source(kind="text", args=(str(folder / "book.txt"),)),
        columns=columns,
        bytes={"size": "next"} if kind == "bpe" else {},
        vocabulary=Vocabulary(kind=kind, size=280),
        split={"train": 0.75, "test": 0.25},
        **more,
    )


def live(data: DataSet) -> Any:
    project = load_project({"data.py": print_data(Program(), data)})
    project.data.project = project  # keeps its folder
    return project.data


def test_characters_of_a_column(tmp_path: Path) -> None:
    """What the training part has most of; what it lacks, and the places after the end, are 0."""
    data = live(reviews("characters", 6, tmp_path))
    assert data.vocabulary() == ["", " ", "a", "e", "h", "t"]
    assert data.load("train")["review"].tolist() == [[5, 4, 3, 1, 0, 2], [5, 4, 3, 1, 4, 2], [0] * 6]
    assert data.load("test")["review"].tolist() == [[5, 4, 3, 1, 5, 4]]


def test_tokens_of_a_column(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    data = live(reviews("bpe", 260, tmp_path, length=10))
    tokenizer = data.tokenizer()
    assert tokenizer.get_vocab_size() == 260
    train, test = data.load("train"), data.load("test")
    assert train["review"].shape == (3, 10)
    assert train["review"].dtype == np.int64
    assert train["review"].all(axis=1).tolist() == [True, False, False]
    assert tokenizer.decode(train["review"][1].tolist()) == TEXTS[1]
    assert TEXTS[0].startswith(tokenizer.decode(train["review"][0].tolist()))
    assert np.count_nonzero(test["review"]) == 7  # "the" four times, and three spaces


def test_words_of_a_column(tmp_path: Path) -> None:
    """The most frequent of the training part; what it lacks, and the places after the end, are 0."""
    pytest.importorskip("tokenizers")
    data = live(reviews("words", 4, tmp_path))
    assert [data.tokenizer().id_to_token(n) for n in range(4)] == ["", "the", "hat", "and"]
    assert data.load("train")["review"].tolist() == [[1, 0, 3, 1, 2, 0], [1, 2, 0, 0, 0, 0], [0] * 6]
    assert data.load("test")["review"].tolist() == [[1, 1, 1, 1, 0, 0]]


def test_a_text_in_words(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    data = live(book("".join(f"{n} is even, " for n in range(0, 3000, 2)), tmp_path, kind="words"))
    pieces = data.load("train")["text"]
    assert "is even, ".replace(",", " ,").strip() in data.tokenizer().decode(pieces[0].tolist())
    assert np.array_equal(pieces[:, 1:], data.load("train")["next"][:, :-1])


def test_a_text_in_tokens(tmp_path: Path) -> None:
    """The blocks of a part, one after the other; pieces shifted by a token; the bytes that they stand for."""
    pytest.importorskip("tokenizers")
    text = "".join(f"{n} squared is {n * n}, \u00e9! " for n in range(1000))
    data = live(book(text, tmp_path))
    train = data.load("train")
    assert np.array_equal(train["text"][:, 1:], train["next"][:, :-1])
    assert np.array_equal(train["next"][:-1, -1], train["text"][1:, 0])
    said = data.tokenizer().decode(train["text"].ravel().tolist())
    blocks = data.examples("train")["text"].tolist()
    assert "".join(blocks).startswith(said[:-1])
    assert train["size"].sum() == len(data.tokenizer().decode(train["next"].ravel().tolist()).encode())
    places = [text.index(block) for block in blocks]
    assert places == sorted(places)
    again = live(book(text, tmp_path))
    assert again.tokenizer().to_str() == data.tokenizer().to_str()
    assert live(book(text, tmp_path, seed=1)).tokenizer().to_str() != data.tokenizer().to_str()


def test_a_text_that_is_too_short(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    data = book("hello " * 171, tmp_path)
    with pytest.raises(SpecError, match="a part of the text has"):
        check_data(Program(), data)


def test_kept_tokens_are_used(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    first = live(reviews("bpe", 260, tmp_path))
    first.tokenizer().save(str(tmp_path / "tokenizer.json"))
    other = reviews("bpe", 260, tmp_path)
    np.savez(tmp_path / "rows.npz", review=["zzzz zzzz"] * 4, stars=np.arange(4))
    second = live(other)
    use_kept(second, tmp_path / "weights.safetensors")
    assert second.tokenizer().to_str() == first.tokenizer().to_str()
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(SpecError, match=r"tokenizer\.json"):
        use_kept(second, tmp_path / "weights.safetensors")


NEXT = """
model Net {
  input text: i64[N, T]
  output logits = one_hot(text, 260) -> Linear(260, bias = false)
}
"""


@pytest.mark.parametrize("backend", ["onnx", "torch"])
def test_text_is_written_in_tokens(backend: str, tmp_path: Path) -> None:
    """A model that says every token again; and any text comes back from its tokens."""
    pytest.importorskip("tokenizers")
    live(reviews("bpe", 260, tmp_path)).tokenizer().save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "net.dls").write_text(NEXT)
    program = load_program(tmp_path / "net.dls")
    weights = tmp_path / "weights.safetensors"
    save_weights(weights, {"linear.weight": np.eye(260, dtype=np.float32)})
    assert generate(program, "Net", weights, backend, "a the", 2, Choice()) == "thethe"
    symbols = read_symbols(weights)
    for text in ("the \u20ac\n\t  \U0001f600 the", "e\u0301 \x00"):
        assert symbols.decode(symbols.encode(text)) == text

"""Printed data loading: real data, files, what does not fit, and the order of examples."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.data import print_data
from dlspec.ir.builder import Builder
from dlspec.ir.data import DataSet, Source, Vocabulary
from dlspec.ir.graph import Program
from dlspec.ir.types import parse_type
from dlspec.runtime.project import load_project


def printed(
    source: Source, columns: dict[str, str], split: dict[str, float] | None = None, **more: Any
) -> str:
    data = DataSet(
        name="Data",
        source=source,
        columns={name: parse_type(kind) for name, kind in columns.items()},
        split=split or {"train": 1.0},
        **more,
    )
    return print_data(Program(), data)


def live(text: str) -> ModuleType:
    project = load_project({"data.py": text})
    project.data.project = project  # keeps its folder
    return project.data


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    source = Source(kind="sklearn", args=("digits",))
    columns = {"image": "f32[1, 8, 8]", "label": "i64"}
    return live(printed(source, columns, {"train": 0.75, "test": 0.25}))


def test_digits(digits: ModuleType) -> None:
    train, test = digits.load("train"), digits.load("test")
    assert train["image"].shape == (1347, 1, 8, 8)
    assert train["image"].dtype == np.float32
    assert test["label"].shape == (450,)
    assert test["label"].dtype == np.int64
    both = np.concatenate([train["image"], test["image"]]).reshape(1797, 64)
    everything = digits.read()["image"].reshape(1797, 64)
    assert np.array_equal(np.sort(both, axis=0), np.sort(everything, axis=0))


def test_order_is_that_of_the_stream(digits: ModuleType) -> None:
    from dlspec.ops import streams

    wanted = np.argsort(streams.generator(0, "Digits").random_raw(100), kind="stable")
    assert np.array_equal(digits.permutation(100, "0:Digits"), wanted)


def test_unknown_split(digits: ModuleType) -> None:
    with pytest.raises(ValueError, match="no split 'val', only train, test"):
        digits.load("val")


def test_batches(digits: ModuleType) -> None:
    columns = {"x": np.arange(10), "y": np.arange(10) * 2}
    batches = list(digits.batches(columns, 4, seed=1, epoch=2))
    assert [len(batch["x"]) for batch in batches] == [4, 4, 2]
    seen = np.concatenate([batch["x"] for batch in batches])
    assert sorted(seen) == list(range(10))
    assert all(np.array_equal(batch["y"], 2 * batch["x"]) for batch in batches)
    again = np.concatenate([batch["x"] for batch in digits.batches(columns, 4, seed=1, epoch=2)])
    other = np.concatenate([batch["x"] for batch in digits.batches(columns, 4, seed=1, epoch=3)])
    assert np.array_equal(seen, again)
    assert not np.array_equal(seen, other)
    plain = np.concatenate([batch["x"] for batch in digits.batches(columns, 4, shuffle=False)])
    assert np.array_equal(plain, np.arange(10))


@pytest.mark.parametrize("dataset", ["iris", "wine", "breast_cancer", "diabetes"])
def test_other_bundled_data(dataset: str) -> None:
    sizes = {"iris": 4, "wine": 13, "breast_cancer": 30, "diabetes": 10}
    target = "f32" if dataset == "diabetes" else "i64"
    columns = {"x": f"f32[{sizes[dataset]}]", "y": target}
    data = live(printed(Source(kind="sklearn", args=(dataset,)), columns))
    assert data.load("train")["x"].shape[1] == sizes[dataset]


def test_one_column_takes_the_features() -> None:
    data = live(printed(Source(kind="sklearn", args=("digits",)), {"image": "f32[64]"}))
    assert data.load("train")["image"].shape == (1797, 64)


def test_wrong_shape() -> None:
    data = live(printed(Source(kind="sklearn", args=("digits",)), {"image": "f32[8, 9]", "label": "i64"}))
    with pytest.raises(ValueError, match=r"image: an example has shape \[64\], expected \[8, 9\]"):
        data.load("train")


def test_wrong_type() -> None:
    data = live(printed(Source(kind="sklearn", args=("diabetes",)), {"x": "i64[10]", "y": "f32"}))
    with pytest.raises(ValueError, match="x: not all values are of type int64"):
        data.load("train")


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s "quoted".csv'
    path.write_text("a;b;c;label\n1;2;3;0\n4;5;6;1\n")
    source = Source(kind="csv", args=(str(path),), options={"delimiter": ";"})
    columns = live(printed(source, {"ab": "f32[2]", "c": "f32", "label": "i64"})).read()
    assert columns["ab"].tolist() == [[1, 2], [4, 5]]
    assert columns["c"].tolist() == [3, 6]
    assert columns["label"].tolist() == [0, 1]


def test_npz_and_npy(tmp_path: Path) -> None:
    image = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.savez(tmp_path / "data.npz", image=image, label=np.array([3, 5]))
    np.save(tmp_path / "data.npy", image)
    columns = {"image": "u8[3, 4]", "label": "i64"}
    data = live(printed(Source(kind="npz", args=(str(tmp_path / "data.npz"),)), columns))
    assert np.array_equal(data.read()["image"], image)
    assert data.read()["label"].tolist() == [3, 5]
    data = live(printed(Source(kind="npy", args=(str(tmp_path / "data.npy"),)), {"image": "f32[3, 4]"}))
    assert np.array_equal(data.read()["image"], image.astype(np.float32))


def test_columns_of_different_length(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.zeros(2), y=np.zeros(3))
    data = live(printed(Source(kind="npz", args=(str(tmp_path / "data.npz"),)), {"x": "f32", "y": "f32"}))
    with pytest.raises(ValueError, match="differ in their number of examples"):
        data.load("train")


def test_prepare() -> None:
    b = Builder("prepare")
    image, label = b.input("image", "f32[N, 4]"), b.input("label", "i64[N]")
    b.output("image", (image - b.mean(image, axis=1, keepdims=True)) / 2)
    b.output("label", label)
    b.output("is_first", b.cast(b.equal(label, 0), dtype="f32"))
    data = DataSet(
        name="Iris",
        source=Source(kind="sklearn", args=("iris",)),
        columns={"image": parse_type("f32[4]"), "label": parse_type("i64")},
        split={"train": 1.0},
        prepare="prepare",
    )
    text = print_data(Program(graphs={"prepare": b.build()}), data)
    assert '"label": label' not in text  # passed on as it is
    columns = live(text).load("train")
    assert np.abs(columns["image"].mean(axis=1)).max() < 1e-6
    assert columns["image"].dtype == np.float32
    assert np.array_equal(columns["is_first"], columns["label"] == 0)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (Source(kind="oracle", args=("x",)), "`oracle` is no source"),
        (Source(kind="sklearn", args=("digits'); import os  #",)), "no dataset"),
        (Source(kind="sklearn"), "needs its dataset"),
        (Source(kind="csv", args=("a", "b")), "too many arguments"),
        (Source(kind="csv", args=("a",), options={"separator": ","}), "no option `separator`"),
    ],
)
def test_unreadable_sources(source: Source, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        printed(source, {"x": "f32[4]"})


def test_symbolic_columns_are_refused() -> None:
    with pytest.raises(SpecError, match="column `x` of Data cannot be read"):
        printed(Source(kind="sklearn", args=("iris",)), {"x": "f32[T]"})


def test_text(tmp_path: Path) -> None:
    """Pieces one after the other; the vocabulary is that of the training part; what it lacks has number 0."""
    path = tmp_path / "book.txt"
    path.write_text("abcabcabcab\u00e9" * 40, encoding="utf-8")
    text = printed(
        Source(kind="text", args=(str(path),)),
        {"text": "i64[5]", "next": "i64[5]"},
        {"train": 0.5, "test": 0.5},
        vocabulary=Vocabulary(kind="characters", size=4),
    )
    book = live(text)
    assert book.vocabulary() == ["\ufffd", "a", "b", "c"]
    raw, train = book.read(), book.load("train")
    assert len(raw["text"]) == 95
    assert "".join(map(chr, raw["text"].ravel())) == path.read_text(encoding="utf-8")[:475]
    assert np.array_equal(raw["next"].ravel()[:-1], raw["text"].ravel()[1:])
    assert set(np.unique(train["text"])) == {0, 1, 2, 3}
    assert (train["next"].dtype, train["text"].shape) == (np.int64, (47, 5))
    symbols = np.array([98, 233, 0x10FFFF])
    assert [book.vocabulary()[n] for n in book.encode({"text": symbols, "next": symbols})["text"]] == [
        "b", "\ufffd", "\ufffd",
    ]  # fmt: skip


def test_text_with_preparation() -> None:
    """Preparation sees the numbers of symbols, not the characters."""
    b = Builder("prepare")
    text = b.input("text", parse_type("i64[N, 8]"))
    b.output("text", -text)
    data = DataSet(
        name="Data",
        source=Source(kind="text", args=("pydoc_data.topics",)),
        columns={"text": parse_type("i64[8]")},
        split={"train": 0.9, "test": 0.1},
        prepare="prepare",
        vocabulary=Vocabulary(kind="characters", size=60),
    )
    columns = live(print_data(Program(graphs={"prepare": b.build()}), data)).load("test")
    assert (columns["text"].min(), columns["text"].max()) == (-59, 0)

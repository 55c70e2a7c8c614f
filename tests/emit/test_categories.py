"""Columns of names: read from every kind of table, numbered as the training part says, and called by name again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.emit.data import print_data
from dlspec.ir.data import Category, DataSet, Source, SplitRule
from dlspec.ir.graph import Program
from dlspec.ir.types import parse_type
from dlspec.runtime.data_check import check_data, load_split
from dlspec.runtime.prediction import named_categories, read_inputs
from dlspec.runtime.project import load_project
from dlspec.runtime.training import evaluate
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

ROWS = [("1.5", "oak, old", "a"), ("2", "ash", "a"), ("2.5", "", "a"), ("3", "ash", "a"), ("4", "yew", "b")]
CSV = "height;tree;part\n" + "".join(f'{h};"{tree}";{part}\n' for h, tree, part in ROWS)
BY = SplitRule(kind="by", column="part", values={"train": ["a"], "test": ["b"]})


def table(source: Source, rule: SplitRule | None = BY, **tree: Any) -> DataSet:
    """A data set with a number, and two columns of names."""
    return DataSet(
        name="Data",
        source=source,
        columns={"height": parse_type("f32"), "tree": parse_type("i64"), "part": parse_type("i64")},
        categories={"tree": Category(**tree), "part": Category(size=2, unknown=True)},
        split={"train": 0.0, "test": 0.0} if rule else {"train": 1.0},
        split_rule=rule,
    )


def live(data: DataSet) -> Any:
    project = load_project({"data.py": print_data(Program(), data)})
    project.data.project = project  # keeps its folder
    return project.data


def stored(kind: str, folder: Path) -> Source:
    """The rows as a file of some kind."""
    names = ("height", "tree", "part")
    arrays = {name: np.array(values) for name, values in zip(names, zip(*ROWS, strict=True), strict=True)}
    arrays["height"] = arrays["height"].astype(float)
    path = str(folder / f"rows.{kind.split()[0]}")
    if kind == "npz":
        np.savez(path, **arrays)
    elif kind == "parquet":
        pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        tree = [name or None for name in arrays["tree"].tolist()]
        parquet.write_table(pyarrow.table({**arrays, "tree": tree}), path)
    else:
        Path(path).write_text(CSV)
        options = {"delimiter": ";", "named": kind.endswith("named")}
        return Source(kind="csv", args=(path,), options=options)
    return Source(kind=kind, args=(path,))


@pytest.mark.parametrize("kind", ["csv", "csv named", "npz", "parquet"])
def test_names_become_numbers(kind: str, tmp_path: Path) -> None:
    """Number 0 is for a missing name, and for those of the test part that the training part lacks."""
    data = live(table(stored(kind, tmp_path), size=4, unknown=True))
    assert data.categories() == {"tree": ["", "ash", "oak, old"], "part": ["", "a"]}
    train, test = data.load("train"), data.load("test")
    assert train["tree"].tolist() == [2, 1, 0, 1]
    assert train["tree"].dtype == np.int64
    assert train["height"].tolist() == [1.5, 2, 2.5, 3]
    assert test["tree"].tolist() == test["part"].tolist() == [0]


def test_the_most_frequent_stay(tmp_path: Path) -> None:
    data = live(table(stored("npz", tmp_path), size=2, unknown=True))
    assert data.categories()["tree"] == ["", "ash"]
    assert data.load("train")["tree"].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("rule", "size", "message"),
    [
        (BY, 3, "tree: no category of the training part is called ''"),
        (None, 2, "tree: the training part has 3 categories, not 2"),
    ],
)
def test_what_does_not_fit_is_told_before_training(
    rule: SplitRule | None, size: int, message: str, tmp_path: Path
) -> None:
    data = table(stored("npz", tmp_path), rule, size=size)
    with pytest.raises(SpecError, match=message) as caught:
        check_data(Program(), data)
    assert caught.value.diagnostics[0].code == "DLS0704"


def test_a_column_of_several_values(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", height=np.ones(2), tree=np.ones((2, 3)), part=["a", "b"])
    with pytest.raises(SpecError, match=r"tree: an example has shape \[3\], not one name"):
        check_data(Program(), table(Source(kind="npz", args=(str(tmp_path / "rows.npz"),)), size=3))


def test_folders_of_images_by_name(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for folder in ("dog", "cat"):
        (tmp_path / folder).mkdir()
        image.new("L", (2, 2)).save(tmp_path / folder / "0.png")
    data = live(
        DataSet(
            name="Pets",
            source=Source(kind="images", args=(str(tmp_path),)),
            columns={"image": parse_type("u8[1, 2, 2]"), "label": parse_type("i64")},
            categories={"label": Category(size=2)},
            split={"train": 1.0},
        )
    )
    assert data.categories() == {"label": ["cat", "dog"]}
    assert sorted(data.load("train")["label"]) == [0, 1]


SPEC = """
model Trees {
  input height: f32[N]
  input soil: i64[N]
  output logits = height[:, none] + (soil -> Embedding(3, 2)) -> Linear(4)
}
data Forest {
  source  = csv("FILE", named = true)
  columns = { height: f32, soil: category(3, unknown = true), kind: category(3) }
  split   = ordered(train = 0.6, test = 0.4)
}
train Trees on Forest {
  loss      = cross_entropy(logits, kind)
  optimizer = Adam(lr = 1e-2)
  metrics   = { accuracy: accuracy(logits, kind) }
}
"""


@pytest.fixture
def forest(tmp_path: Path) -> tuple[Program, Path]:
    """A spec whose table has changed since it was trained: the weights were learned with other names."""
    rows = ["1,wet,oak", "2,dry,ash", "3,wet,yew", "4,dry,oak", "5,salty,ash"]
    (tmp_path / "trees.csv").write_text("\n".join(["height,soil,kind", *rows]) + "\n")
    (tmp_path / "trees.dls").write_text(SPEC.replace("FILE", (tmp_path / "trees.csv").as_posix()))
    program = load_program(tmp_path / "trees.dls")
    save_weights(tmp_path / "weights.safetensors", draw_weights(program, "Trees", 0))
    kept = {"soil": ["", "dry", "salty"], "kind": ["ash", "elm", "oak"]}
    (tmp_path / "categories.json").write_text(json.dumps(kept))
    return program, tmp_path / "weights.safetensors"


def test_evaluation_numbers_as_the_training_did(forest: tuple[Program, Path]) -> None:
    program, weights = forest
    training = program.trainings["Trees"]
    assert load_split(program, training, "test")["kind"].tolist() == [1, 0]
    found = load_split(program, training, "test", weights)
    assert found["kind"].tolist() == [2, 0]
    assert found["soil"].tolist() == [1, 2]
    results = [evaluate(program, training, weights, backend, "test")["loss"] for backend in ("torch", "onnx")]
    assert results[0] == pytest.approx(results[1], rel=1e-5)
    with pytest.raises(SpecError, match="kind: no category of the training part is called 'yew'"):
        evaluate(program, training, weights, "torch", "train")
    weights.with_name("categories.json").write_text('{"kind": ["a"]')
    with pytest.raises(SpecError, match="cannot read"):
        evaluate(program, training, weights, "torch", "test")


def test_prediction_takes_and_gives_names(forest: tuple[Program, Path]) -> None:
    program, weights = forest
    path = weights.with_name("in.npz")
    np.savez(path, height=np.ones(3, "f4"), soil=["salty", "moon", "dry"])
    assert read_inputs(program, "Trees", path, weights)["soil"].tolist() == [2, 0, 1]
    scores = np.array([[0, 1, 2, 9], [3, 1, 2, 9.0]])  # there are three names, and no fourth
    named = named_categories(program, "Trees", weights, {"logits": scores})
    assert {name: words.tolist() for name, words in named.items()} == {"kind": ["oak", "ash"]}

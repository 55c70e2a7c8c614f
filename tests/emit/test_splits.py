"""How examples are dealt to the parts of a split, and what fills the last batch."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.emit.data import print_data
from dlspec.runtime.data_check import with_fold
from dlspec.runtime.project import load_project

SPEC = """
model Net {{
  input x: f32[N]
  output y = x -> unsqueeze(1) -> Linear(1)
}}
data Rows {{
  source  = npz("{path}")
  columns = {{ x: f32, label: i64 }}
  {settings}
}}
train Net on Rows {{
  loss = mse_loss(y, x -> unsqueeze(1))
  optimizer = Adam(lr = 1e-2)
}}
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rows") / "rows.npz"
    np.savez(file, x=np.arange(100), label=np.arange(100) % 10 // 7)  # 70 of 0, 30 of 1
    return file


def program(path: Path, settings: str) -> Any:
    spec = path.with_suffix(".dls")
    spec.write_text(SPEC.format(path=path, settings=settings))
    return load_program(spec)


def live(path: Path, settings: str, fold: int | None = None) -> ModuleType:
    made = program(path, settings)
    made = with_fold(made, made.trainings["Net"], fold)
    project = load_project({"data.py": print_data(made, made.data["Rows"])})
    project.data.project = project
    return project.data


def test_shares_that_leave_something_out(path: Path) -> None:
    data = live(path, "split = { train: 0.5, test: 0.2 }")
    assert (len(data.load("train")["x"]), len(data.load("test")["x"])) == (50, 20)


def test_stratified(path: Path) -> None:
    data = live(path, "split = stratified(label, train = 0.8, test = 0.2)")
    train, test = data.load("train"), data.load("test")
    assert np.bincount(train["label"]).tolist() == [56, 24]
    assert np.bincount(test["label"]).tolist() == [14, 6]
    assert sorted([*train["x"], *test["x"]]) == list(range(100))


def test_ordered(path: Path) -> None:
    data = live(path, "split = ordered(train = 0.6, val = 0.4)")
    assert data.load("train")["x"].tolist() == list(range(60))
    assert data.load("val")["x"].tolist() == list(range(60, 100))


def test_by_column(path: Path) -> None:
    data = live(path, "split = by(label, train = 1, test = [0, 5])")
    assert set(data.load("train")["label"]) == {1}
    assert len(data.load("test")["x"]) == 70


@pytest.mark.parametrize("settings", ["split = folds(5)", "split = folds(5, label)"])
def test_folds(path: Path, settings: str) -> None:
    held = [live(path, settings, fold) for fold in range(5)]
    assert sorted(x for data in held for x in data.load("val")["x"]) == list(range(100))
    for data in held:
        assert not set(data.load("val")["x"]) & set(data.load("train")["x"])
        if "label" in settings:
            assert np.bincount(data.load("val")["label"]).tolist() == [14, 6]


def test_folds_that_do_not_exist(path: Path) -> None:
    for settings, fold in (("split = folds(5)", 5), ("", 0)):
        with pytest.raises(SpecError) as caught:
            live(path, settings, fold)
        assert caught.value.diagnostics[0].code == "DLS0812"


@pytest.mark.parametrize(
    ("last", "sizes"), [("keep", [32, 32, 32, 4]), ("drop", [32] * 3), ("fill", [32] * 4)]
)
def test_last_batch(path: Path, last: str, sizes: list[int]) -> None:
    data = live(path, f"last_batch = {last}")
    columns = data.read()
    batches = [batch["x"] for batch in data.batches(columns, 32, seed=1)]
    assert [len(batch) for batch in batches] == sizes
    assert [len(batch["x"]) for batch in data.batches(columns, 32, shuffle=False)] == [32, 32, 32, 4]
    if last == "fill":
        assert batches[-1][4:].tolist() == batches[0][:28].tolist()
        assert set(np.concatenate(batches)) == set(range(100))


@pytest.mark.parametrize(
    "split", ["split = { train: 0.8, test: 0.2 }", "split = stratified(label, train = 0.8, test = 0.2)"]
)
def test_without_shuffle_every_epoch_goes_by_the_order_of_the_source(path: Path, split: str) -> None:
    data = live(path, f"shuffle = false {split} last_batch = drop")
    columns = data.load("train")
    for epoch in range(2):
        taken = np.concatenate([batch["x"] for batch in data.batches(columns, 30, seed=1, epoch=epoch)])
        assert np.array_equal(taken, np.sort(columns["x"])[:60])
    shuffled = live(path, split).load("train")
    assert sorted(shuffled["x"]) == list(columns["x"])  # the same examples are learnt from


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("split = { train: 0.8, test: 0.2 }", "split = stratified(label, train = 0.8, test = 0.2)"),
        ("split = folds(3)", "split = folds(3, label)"),
        ("", "split = stratified(label, train = 0.8, val = 0.1, test = 0.1)"),
    ],
)
def test_stratify_is_short_for_the_rule(path: Path, short: str, long: str) -> None:
    texts = [
        print_data(made, made.data["Rows"])
        for made in (program(path, f"{short} stratify = label"), program(path, long))
    ]
    assert texts[0] == texts[1]


def test_examples_that_fill_no_batch(path: Path) -> None:
    data = live(path, "last_batch = drop")
    with pytest.raises(ValueError, match="100 examples do not fill a batch of 101"):
        list(data.batches(data.read(), 101))
    assert [len(batch["x"]) for batch in data.batches(data.read(), 100)] == [100]

"""Features of a training: each has its files, and adds nothing where it is not asked for."""

from __future__ import annotations

import re

import pytest

from dlspec._data import data_path
from dlspec.api import loads
from dlspec.emit.features import FEATURES
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project

SPEC = """
model Net { input x: f32[N, 4]  output y = x -> Linear(3) }
data Rows {
  source  = npz("rows.npz")
  columns = { x: f32[4], label: i64 }
  split   = { train: 0.8, val: 0.2 }
  %s
}
train Net on Rows { loss = cross_entropy(y, label)  optimizer = Adam(lr = 1e-3 * cosine)  %s }
"""
FOLDERS = ("common", "torch", "keras")


def train_py(backend: str, data: str = "", training: str = "") -> str:
    program = loads(SPEC % (data, training)).program
    return print_project(program, "Net", load_backend(backend))["train.py"]


def files() -> dict[str, str]:
    """The features' files: ``torch/ema`` to its text."""
    folders = {name: data_path("backends") / name / "training" for name in FOLDERS}
    return {
        f"{name}/{file.name.removesuffix('.jinja')}": file.read_text("utf-8")
        for name, folder in folders.items()
        for file in folder.iterdir()
    }


def test_every_feature_has_a_file_and_every_file_a_feature() -> None:
    assert {name.partition("/")[2] for name in files()} == set(FEATURES)


def test_every_macro_is_named_after_a_place() -> None:
    templates = [data_path("backends") / name / "train.py.jinja" for name in FOLDERS]
    texts = [*(template.read_text("utf-8") for template in templates), *files().values()]
    texts.append((data_path("backends") / "common" / "play.py.jinja").read_text("utf-8"))
    places = {place for text in texts for place in re.findall(r"^ *#: (\w+)$", text, re.MULTILINE)}
    for name, text in files().items():
        assert set(re.findall(r"macro (\w+)\(\)", text)) <= places, name


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_no_place_is_left_in_printed_code(backend: str) -> None:
    assert "#:" not in train_py(backend, training="ema = 0.9  checkpoint = {}")


@pytest.mark.parametrize(
    ("last", "count"),
    [("keep", "math.ceil(data.count(columns) / BATCH_SIZE)"), ("drop", "data.count(columns) // BATCH_SIZE")],
)
def test_a_schedule_knows_how_many_updates_there_are(last: str, count: str) -> None:
    text = train_py("torch", f'last_batch = "{last}"', "epochs = 3")
    assert f"training.total = {count} * epochs" in text

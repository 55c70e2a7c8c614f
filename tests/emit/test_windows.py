"""A series as pieces: what is learnt from comes before what is foretold, and no target is in two parts."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from dlspec.elaborate.program import load_program
from dlspec.emit.data import print_data
from dlspec.runtime.project import load_project

SPEC = """
model Net {{
  input x: f32[N, 5]
  output y = x -> Linear(2)
}}
data Series {{
  source  = npz("{path}")
  columns = {{ x: f32, wind: f32[3] }}
  split   = ordered(train = 0.6, test = 0.4)
  windows = {{ length: 5, horizon: 2 }}
  prepare {{ wind = wind - train_mean(wind) }}
}}
train Net on Series {{
  loss = mse_loss(y, x_next) + 0 * mean(wind_next)
  optimizer = Adam
}}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder: Path = tmp_path_factory.mktemp("series")
    np.savez(folder / "rows.npz", x=np.arange(50), wind=np.ones((50, 3)))
    (folder / "net.dls").write_text(SPEC.format(path=folder / "rows.npz"))
    program = load_program(folder / "net.dls")
    assert program.trainings["Net"].data == "Series"
    project = load_project({"data.py": print_data(program, program.data["Series"])})
    project.data.project = project
    return project.data


def test_shapes(data: ModuleType) -> None:
    train = data.load("train")
    assert train["x"].shape == (24, 5)
    assert train["x_next"].shape == (24, 2)
    assert train["wind"].shape == (24, 5, 3)
    assert train["wind_next"].shape == (24, 2, 3)
    assert not train["wind"].any()


def test_what_is_foretold_comes_next(data: ModuleType) -> None:
    for split in ("train", "test"):
        columns = data.load(split)
        assert np.array_equal(columns["x_next"][:, 0], columns["x"][:, -1] + 1)
        assert np.array_equal(columns["x_next"][:, 1], columns["x"][:, -1] + 2)


def test_no_target_is_in_two_parts(data: ModuleType) -> None:
    train, test = data.load("train")["x_next"], data.load("test")["x_next"]
    assert train.max() == 29
    assert test.min() == 30  # its past is the end of the training part
    assert test.max() == 49


def test_batches_are_copies(data: ModuleType) -> None:
    batch = next(data.batches(data.load("train"), 4))
    assert batch["x"].flags.writeable
    assert batch["x"].flags.c_contiguous

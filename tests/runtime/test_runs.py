"""Runs on disk, and when two are the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlspec.ir.training import DataSet, Source
from dlspec.runtime.runs import Run, fingerprint, read_run, same_run

FILES = {"train.py": "x = 1\n"}
WEIGHTS = {"w": np.ones(3, np.float32)}


def data(path: Path | str) -> DataSet:
    return DataSet(name="D", source=Source(kind="csv", args=(str(path),)), columns={}, split={})


def test_a_fingerprint_is_of_all_that_decides(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("1,2")
    first = fingerprint(FILES, WEIGHTS, [], data(file))
    assert first == fingerprint(dict(FILES), {"w": np.ones(3, np.float32)}, (), data(file))
    others = [
        fingerprint({"train.py": "x = 2\n"}, WEIGHTS, [], data(file)),
        fingerprint(FILES, {"w": np.ones((3, 1), np.float32)}, [], data(file)),
        fingerprint(FILES, {"w": np.full(3, 2, np.float32)}, [], data(file)),
        fingerprint(FILES, WEIGHTS, ["--seed", "1"], data(file)),
        fingerprint(FILES, WEIGHTS, [], data(tmp_path / "none.csv")),
    ]
    file.write_text("1,3")
    others.append(fingerprint(FILES, WEIGHTS, [], data(file)))
    assert len({first, *others}) == 7
    whole = fingerprint(FILES, WEIGHTS, [], data(tmp_path))
    (tmp_path / "more.csv").write_text("")
    assert fingerprint(FILES, WEIGHTS, [], data(tmp_path)) != whole


@pytest.mark.parametrize("status", ["finished", "running"])
def test_the_same_run_is_found(tmp_path: Path, status: str) -> None:
    for name, mark in (("a", "1"), ("b", "2"), ("c", "2")):
        (tmp_path / name).mkdir()
        Run("s", "t", "torch", mark, ["--seed", "1"], ".", "failed").write(tmp_path / name)
    Run("s", "t", "torch", "2", [], ".", status).write(tmp_path / "c")
    folders = [tmp_path / name for name in "abcd"]
    found = same_run(folders, "2")
    assert found is not None
    assert found[0].name == ("c" if status == "finished" else "b")
    assert same_run(folders, "3") is None
    (tmp_path / "a" / "run.json").write_text("{}")
    assert read_run(tmp_path / "a") is None

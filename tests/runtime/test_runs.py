"""Runs on disk, and when two are the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlspec.cli.train import _earlier
from dlspec.diagnostics import SpecError
from dlspec.ir.data import DataSet, Source
from dlspec.runtime import runs
from dlspec.runtime.runs import Run, fingerprint, held, read_run, same_run

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


def test_a_folder_is_trained_in_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while only a process lives that inherited it."""
    pytest.importorskip("fcntl")
    monkeypatch.setattr(runs, "PATIENCE", 0.0)
    with held(tmp_path) as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=lock
        )
    with pytest.raises(SpecError, match="DLS0821"), held(tmp_path):
        pass
    child.communicate(b"\n")
    with held(tmp_path) as lock:
        assert len(lock) == 1


def test_what_was_stopped_goes_on_where_it_is_part_of_several(tmp_path: Path) -> None:
    Run("net.dls", "Net", "torch", "1", [], ".").write(tmp_path)
    assert _earlier([tmp_path], "1", part=True) == (None, False)  # there is nothing to go on from
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/000000001.safetensors").touch()
    assert _earlier([tmp_path], "1", part=True) == (tmp_path, False)
    assert _earlier([tmp_path], "1", part=False) == (None, False)
    assert _earlier([tmp_path], "2", part=True) == (None, False)
    Run("net.dls", "Net", "torch", "1", [], ".", status="finished").write(tmp_path)
    assert _earlier([tmp_path], "1", part=False) == (tmp_path, True)

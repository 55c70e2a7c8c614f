"""Event files, read back by TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlspec.runtime.tensorboard import EventFile

pytestmark = pytest.mark.slow


def test_tensorflow_reads_event_files(tmp_path: Path) -> None:
    read = pytest.importorskip("tensorflow").compat.v1.train.summary_iterator
    lines = [{"loss": 1.5, "val_ü": 2.0}, {"loss": 0.25, "val_ü": 300.0}, {"loss": float("nan")}]
    file = EventFile(tmp_path)
    file.update()
    for line in lines[:1], lines:
        (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(each) + "\n" for each in line))
        file.update()
    # Every record has two checksums, which the reader compares.
    events = list(read(str(file.path)))
    assert events[0].file_version == "brain.Event:2"
    found = [(event.step, {v.tag: v.simple_value for v in event.summary.value}) for event in events[1:]]
    assert str(found) == str(list(enumerate(lines, 1)))


def test_curves_by_step_and_of_worlds(tmp_path: Path) -> None:
    read = pytest.importorskip("tensorflow").compat.v1.train.summary_iterator
    (tmp_path / "metrics.jsonl").write_text('{"steps": 1000, "return": 9.0}\n')
    (tmp_path / "steps.jsonl").write_text('{"step": 50, "loss": 1e39}\n{"step": 100, "lo')
    file = EventFile(tmp_path)
    file.update()
    with (tmp_path / "steps.jsonl").open("a") as steps:  # the line was being written
        steps.write('ss": 0.5}\n')
    file.update()
    found = [(e.step, v.tag, v.simple_value) for e in read(str(file.path)) for v in e.summary.value]
    infinite = float("inf")
    assert found == [(1000, "return", 9.0), (50, "step/loss", infinite), (100, "step/loss", 0.5)]

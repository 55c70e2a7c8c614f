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

"""Runs of other kinds that are killed: buckets, altered images, several steps a call, stages, folds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import QUIET, run_training, write_project
from tests.runtime.test_resume import killed, weights

pytestmark = pytest.mark.slow

BUCKETS = """
model Net {
  input speech: f32[N, T, 12]
  output logits = max(speech -> Linear(16) -> tanh -> Dropout(0.3), axis = 1) -> Linear(10)
}
data Utterances {
  source  = synthetic("spoken_digits", examples = 300, most = 4)
  columns = { speech: f32[T, 12], frames: i64, digits: i64[4] }
  bucket  = { T: [14, 20, 28, 40, 56], by: frames }
  split   = { train: 0.8, test: 0.2 }
}
train Net on Utterances {
  loss       = cross_entropy(logits, digits[:, 0])
  optimizer  = Adam(lr = 1e-3)
  batch_size = 8
  epochs     = 6
  checkpoint = { steps: 7 }
}
"""
IMAGES = """
model Net {
  input image: f32[N, 1, 8, 8]
  output logits = image -> Conv2d(8, 3, padding = 1) -> BatchNorm -> relu -> MaxPool2d(2) -> Dropout(0.3) -> flatten
    -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[1, 8, 8], label: i64 }
  split   = stratified(label, train = 0.75, test = 0.25)
  prepare {
    image = (image - train_mean(image, axis = [0, 2, 3])) / 8
    label = one_hot(label, 10)
  }
  augment {
    image = image -> random_flip -> random_crop(padding = 1)
    image, label = mixup(image, label, alpha = 0.1)
  }
}
train Net on Digits {
  loss       = mean(sum(-label * log_softmax(logits), axis = 1))
  optimizer  = SGD(lr = 0.01, momentum = 0.9)
  epochs     = 6
  OPTIONS
}
"""


@pytest.mark.parametrize(
    ("backend", "text"),
    [
        ("torch", BUCKETS),
        ("keras", BUCKETS),
        ("keras", IMAGES.replace("OPTIONS", "checkpoint = { steps: 3 }  ema = 0.9  log = 2")),
        ("keras", IMAGES.replace("OPTIONS", "checkpoint = {}  steps_per_execution = 5")),
    ],
    ids=["buckets-torch", "buckets-keras", "images-keras", "several-steps-keras"],
)
def test_killed_runs_end_with_the_same_weights(tmp_path: Path, backend: str, text: str) -> None:
    (tmp_path / "net.dls").write_text(text)
    code = tmp_path / "code"
    write_project(print_project(load_program(tmp_path / "net.dls"), "Net", load_backend(backend)), code)
    run_training(code, ["--out", str(tmp_path / "whole")])
    assert killed(code, tmp_path / "run", 0), "it lived long enough to be killed"
    run_training(code, ["--out", str(tmp_path / "run"), "--resume"])
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    for file in ("steps.jsonl",):
        if (tmp_path / "whole" / file).exists():
            assert (tmp_path / "run" / file).read_text() == (tmp_path / "whole" / file).read_text()


STAGES = """
model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(16) -> Dropout(0.3) -> relu -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  split   = folds(2, label)
  prepare { image = image / 16 }
}
train Teacher on Digits {
  models     = { net: Net }
  step learn updates net with Adam(lr = 1e-3) { minimize cross_entropy(net(image), label) }
  epochs     = 2
  checkpoint = { steps: 3 }
}
train Pupil on Digits {
  models     = { teacher: frozen(Net), net: Net }
  init_from  = { teacher: trained("Teacher") }
  step learn updates net with Adam(lr = 1e-3) { minimize mean((net(image) - teacher(image)) ** 2) }
  epochs     = 6
  checkpoint = { steps: 3 }
}
"""


def test_stages_of_folds_go_on_where_they_were_killed(tmp_path: Path) -> None:
    """Killed in the second stage of the first fold: the same command goes on with it, and trains what comes after."""
    (tmp_path / "net.dls").write_text(STAGES)
    command = [sys.executable, "-m", "dlspec", "train", "net.dls", "--fold", "all", "--out"]
    environment = {**QUIET, **os.environ}
    subprocess.run([*command, "whole"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    with subprocess.Popen(
        [*command, "run"], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        first = tmp_path / "run/fold-0/Pupil"
        while process.poll() is None and not [*first.glob("checkpoints/0*")]:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    assert not (first / "weights.safetensors").exists(), "it lived long enough to be killed"
    told = subprocess.run(
        [*command, "run"], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert "this was stopped, and goes on" in told.stdout
    assert "this was trained before" in told.stdout
    found = sorted(
        path.relative_to(tmp_path / "whole") for path in tmp_path.glob("whole/*/*/weights.safetensors")
    )
    assert len(found) == 4
    for file in found:
        assert (tmp_path / "run" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file

"""Runs that are killed go on to the same weights, to the bit."""

from __future__ import annotations

import os
import random
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

pytestmark = pytest.mark.slow

# A model that draws random numbers, in training only, and a loss that does.
SPEC = """
model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(16) -> relu -> Dropout(0.3) -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  split   = { train: 0.75, test: 0.25 }
  prepare { image = image / 16 }
}
train Net on Digits {
  models     = { net: Net }
  step learn updates net with Adam(lr = 1e-3) {
    minimize cross_entropy(net(image) + 0.1 * normal([N, 10]), label)
  }
  metrics    = { accuracy: accuracy(net(image), label) }
  epochs     = 3
  OPTIONS
}
"""


def written(folder: Path, backend: str, options: str) -> Path:
    """The printed project of the spec."""
    (folder / "net.dls").write_text(SPEC.replace("OPTIONS", options))
    program = load_program(folder / "net.dls")
    write_project(print_project(program, "Net", load_backend(backend)), folder / "code")
    return folder / "code"


def weights(run: Path) -> bytes:
    return (run / "weights.safetensors").read_bytes()


def killed(code: Path, run: Path, seconds: float) -> bool:
    """Go on with a run and kill it so long after its first checkpoint, or its last one then; False if it ends first."""
    log = (run.parent / "log").open("a")
    before = set(run.glob("checkpoints/*.safetensors"))
    command = [sys.executable, code / "train.py", "--out", run, "--resume"]
    with subprocess.Popen(command, stdout=log, stderr=log, env={**QUIET, **os.environ}) as process:
        while process.poll() is None and not set(run.glob("checkpoints/*.safetensors")) - before:
            time.sleep(0.01)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("backend", "options", "kills"),
    [
        ("torch", "checkpoint = { steps: 2 }", 3),
        ("torch", "checkpoint = {}  early_stopping = { metric: test_accuracy, goal: max }", 2),
        ("keras", "checkpoint = { steps: 2, keep: 1 }", 2),
    ],
)
def test_killed_runs_end_with_the_same_weights(
    tmp_path: Path, backend: str, options: str, kills: int
) -> None:
    code = written(tmp_path, backend, options)
    # Both begin with the same weights, which torch draws from the seed itself.
    run_training(code, ["--out", str(tmp_path / "whole")])
    seed = random.randrange(2**32)
    print("seed of the kills:", seed)
    rng = random.Random(seed)
    count = sum(killed(code, tmp_path / "run", rng.uniform(0, 0.3)) for _ in range(kills))
    run_training(code, ["--out", str(tmp_path / "run"), "--resume"])
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    assert count, "no run lived long enough to be killed"
    assert len(list((tmp_path / "run/checkpoints").glob("*"))) <= 2


def test_keras_goes_on_from_before_a_smaller_batch(tmp_path: Path) -> None:
    """TensorFlow compiles for the shapes that it meets first, and rounds as they were compiled."""
    code = written(tmp_path, "keras", "checkpoint = { steps: 42 }")
    run_training(code, ["--out", str(tmp_path / "whole"), "--epochs", "2"])
    first = min(
        (tmp_path / "whole/checkpoints").iterdir()
    )  # 43 batches an epoch, of which the last has 3 examples
    assert first.name == "000000042.safetensors"
    (tmp_path / "run/checkpoints").mkdir(parents=True)
    first.rename(tmp_path / "run/checkpoints" / first.name)
    run_training(code, ["--out", str(tmp_path / "run"), "--epochs", "2", "--resume"])
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")

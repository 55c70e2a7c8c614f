"""`dlspec train`: what it does once, again, and after it was stopped."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dlspec.cli import cli
from dlspec.runtime.runs import Run

pytestmark = pytest.mark.slow

SPEC = """
model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(8) -> relu -> Dropout(0.3) -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  split   = { train: 0.75, test: 0.25 }
}
train Net on Digits {
  loss       = LOSS
  optimizer  = SGD(lr = 1e-3)
  metrics    = { accuracy: accuracy(logits, label) }
  batch_size = 256
  epochs     = 2
  OPTIONS
}
"""
FINE = "cross_entropy(logits, label)"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["train", *map(str, arguments)])


def spec(folder: Path, options: str = "", loss: str = FINE) -> Path:
    path = folder / "net.dls"
    path.write_text(SPEC.replace("OPTIONS", options).replace("LOSS", loss))
    return path


def test_the_same_is_not_trained_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = run(spec(tmp_path), "--tensorboard").stdout
    assert "epoch 2/2" in shown
    assert "runs/net-torch/report.html" in shown
    assert "<svg" in (tmp_path / "runs/net-torch/report.html").read_text()
    assert len(list(tmp_path.glob("runs/net-torch/tensorboard/*"))) == 1
    first = (tmp_path / "runs/net-torch/weights.safetensors").read_bytes()
    second = run(spec(tmp_path))
    assert second.exit_code == 0
    assert "trained before" in second.stdout
    assert "epoch" not in second.stdout
    assert json.loads(run(spec(tmp_path), "--json").stdout)["trained"] is False
    assert "epoch 2/2" in run(spec(tmp_path), "--again").stdout
    assert (tmp_path / "runs/net-torch-2/weights.safetensors").read_bytes() == first
    lines = (tmp_path / "runs/net-torch-2/metrics.jsonl").read_text().splitlines()
    assert [json.loads(line).keys() for line in lines] == [
        {"loss", "test_loss", "test_accuracy", "seconds"}
    ] * 2


def test_a_run_that_was_killed_goes_on(tmp_path: Path) -> None:
    path = spec(tmp_path, "checkpoint = { steps: 2 }")
    epochs = ("--epochs", "300")  # more than it gets through before it is killed
    assert run(path, "--out", tmp_path / "whole", *epochs).exit_code == 0
    command = [sys.executable, "-m", "dlspec", "train", path, "--out", tmp_path / "run", *epochs]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while not list(tmp_path.glob("run/checkpoints/*.safetensors")):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert json.loads((tmp_path / "run/run.json").read_text())["status"] == "running"
    result = run("--resume", tmp_path / "run")
    assert result.exit_code == 0, result.output
    whole, resumed = (tmp_path / name / "weights.safetensors" for name in ("whole", "run"))
    assert whole.read_bytes() == resumed.read_bytes()
    assert "this run is finished" in run("--resume", tmp_path / "run").stdout


def test_what_cannot_go_on(tmp_path: Path) -> None:
    assert "error[DLS0815]" in run("--resume", tmp_path).stderr
    (tmp_path / "run").mkdir()
    Run(str(spec(tmp_path)), "Net", "torch", "", [], str(tmp_path)).write(tmp_path / "run")
    assert "error[DLS0816]" in run("--resume", tmp_path / "run").stderr
    assert run("--resume", tmp_path / "run", tmp_path / "net.dls").exit_code == 2
    assert run().exit_code == 2


# A loss that is none, and what is told of it.
CAUSES = {
    "an operation": ("mean(log(relu(logits - 1e3)))", "the result of `log` is not finite"),
    "a gradient": (
        f"{FINE} + sqrt(sum(square(model.linear1.bias - model.linear1.bias)))",
        "the weight `",
    ),
}


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize(("loss", "told"), CAUSES.values(), ids=CAUSES.keys())
def test_a_loss_that_is_none_says_why(tmp_path: Path, backend: str, loss: str, told: str) -> None:
    result = run(spec(tmp_path, loss=loss), "--backend", backend, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "error[DLS0729]" in result.stderr
    assert told in result.stderr.lower()
    assert "train.py:" in result.stderr
    assert json.loads((tmp_path / "run/run.json").read_text())["status"] == "failed"
    assert not (tmp_path / "run/weights.safetensors").exists()


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_piece_of_a_batch_that_is_none_says_why(tmp_path: Path, backend: str) -> None:
    """Where an update has several batches, the loss of one piece is where it begins."""
    loss, told = CAUSES["an operation"]
    result = run(spec(tmp_path, "accumulate = 2", loss), "--backend", backend, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "error[DLS0729]" in result.stderr
    assert told in result.stderr.lower()
    assert not (tmp_path / "run/weights.safetensors").exists()


def test_data_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (
        SPEC.replace("OPTIONS", "")
        .replace("LOSS", FINE)
        .replace('sklearn("digits")', 'csv("rows.csv", header = false)')
    )
    (tmp_path / "net.dls").write_text(text.replace("64]", "2]"))
    (tmp_path / "rows.csv").write_text("0.5,nan,3\n" * 40)
    stderr = run("net.dls").stderr
    assert "the column `image` of the batch is not finite (30 of 60 NaN" in stderr


@pytest.mark.parametrize(("size", "accumulate", "code"), [(1347, 1, 0), (1348, 1, 1), (674, 2, 1)])
def test_examples_that_fill_no_batch_are_told(tmp_path: Path, size: int, accumulate: int, code: int) -> None:
    text = SPEC.replace("LOSS", FINE).replace("batch_size = 256", f"batch_size = {size}")
    text = text.replace("  split ", "  last_batch = drop\n  split ").replace(
        "OPTIONS", f"accumulate = {accumulate}"
    )
    (tmp_path / "net.dls").write_text(text)
    result = run(tmp_path / "net.dls", "--out", tmp_path / "run", "--epochs", "1")
    assert result.exit_code == code, result.output
    assert ("DLS0704" in result.output and "do not fill" in result.output) == bool(code)


def test_which_of_several_steps_in_one_call_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras does many steps in one call, and still finds the same one as PyTorch."""
    monkeypatch.chdir(tmp_path)
    text = SPEC.replace("OPTIONS", "").replace("256", "2").replace("LOSS", f"{FINE} + mean(image)")
    text = text.replace('sklearn("digits")', 'csv("rows.csv", header = false)').replace("64]", "2]")
    (tmp_path / "net.dls").write_text(text)
    (tmp_path / "rows.csv").write_text(
        "".join(f"0.5,{'nan' if n in (4, 17, 30) else 1},3\n" for n in range(40))
    )
    told = [run("net.dls", "--backend", backend).stderr for backend in ("torch", "keras")]
    steps = [re.findall(r"epoch \d+, step \d+", text) for text in told]
    assert steps[0] == steps[1] != []
    assert all("the column `image` of the batch is not finite (1 of 4 NaN" in text for text in told)

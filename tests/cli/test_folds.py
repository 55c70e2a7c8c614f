"""`--fold` and `--source`: what each command reads, and what a run remembers of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dlspec.cli import cli
from dlspec.cli.folds import summary
from dlspec.elaborate.program import load_program
from dlspec.runtime.runs import Run
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

SPEC = """
model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  split   = folds(2)
}
train Net on Digits {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 1e-3)
}
"""
SOURCE = """
import numpy as np
def few():
    return {"image": np.eye(64), "label": np.arange(64) % 10}
def flat():
    return {"image": np.eye(60), "label": np.arange(60) % 10}
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights in the folder of a run of the spec ``net.dls``, which remembers nothing of its data."""
    monkeypatch.chdir(tmp_path)
    Path("net.dls").write_text(SPEC)
    Path("more.py").write_text(SOURCE)
    Path("run").mkdir()
    save_weights(Path("run/weights.safetensors"), draw_weights(load_program(Path("net.dls")), "Net", 0))
    remember(Path("run"))
    return Path("run/weights.safetensors")


def remember(folder: Path, sources: tuple[str, ...] = (), fold: int | None = None) -> None:
    Run("net.dls", "Net", "torch", "", [], str(Path.cwd()), sources=list(sources), fold=fold).write(folder)


def loss(weights: Path, *more: str) -> float:
    result = run("evaluate", "net.dls", "--weights", weights, "--json", *more)
    assert result.exit_code == 0, result.output
    return float(json.loads(result.stdout)["results"]["loss"])


def test_a_run_remembers_its_fold(weights: Path) -> None:
    first, second = (loss(weights, "--fold", str(fold)) for fold in (0, 1))
    assert first != second
    assert loss(weights) == first
    remember(weights.parent, fold=1)
    assert loss(weights) == second
    assert loss(weights, "--fold", "0") == first
    assert (
        "--fold 1, as these weights were trained" in run("evaluate", "net.dls", "--weights", weights).stderr
    )


def test_a_run_remembers_its_source_wherever_it_is_evaluated(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = loss(weights, "--source", "Digits=more.py:few")
    assert asked != loss(weights)
    remember(weights.parent, ("Digits=more.py:few",))
    monkeypatch.chdir("run")
    result = run("evaluate", "../net.dls", "--weights", "weights.safetensors", "--json")
    assert json.loads(result.stdout)["results"]["loss"] == asked


def test_what_no_longer_fits_the_spec_is_not_remembered(weights: Path) -> None:
    first = loss(weights)
    remember(weights.parent, ("Letters=more.py:few",), fold=7)
    assert loss(weights) == first


def test_predictions_for_a_split(weights: Path) -> None:
    words = ["predict", "net.dls", "--weights", weights, "--split", "val", "--source", "Digits=more.py:few"]
    assert run(*words, "--fold", "1", "--out", "found.npz").exit_code == 0
    assert np.load("found.npz")["logits"].shape == (32, 10)
    other = run(*words, "--json").stdout
    assert json.loads(other)["outputs"]["logits"] != np.load("found.npz")["logits"].tolist()
    assert "DLS0805" in run(*words[:-3], "part").stderr
    assert "go with --split" in run(*words[:4], "--fold", "1", "--input", "x.npy").stderr


COMMANDS = {
    "evaluate": ["--weights", "run/weights.safetensors"],
    "predict": ["--weights", "run/weights.safetensors", "--split", "val"],
    "verify": [],
    "train": [],
}
WRONG = {
    ("--source", "Digit=more.py:few"): "did you mean `Digits`?",
    ("--source", "Digits=more.txt"): "DLS0811",
    ("--source", "Digits=more.py:flat"): "an example has shape [60], expected [64]",
    ("--source", "Digits=less.py:few"): "DLS0704",
    ("--fold", "2"): "they are numbered from 0 to 1",
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("option", "told"), WRONG.items(), ids=lambda value: str(value))
def test_every_command_checks_alike(weights: Path, command: str, option: tuple[str, str], told: str) -> None:
    result = run(command, "net.dls", *COMMANDS[command], *option)
    assert result.exit_code == 1, result.output
    assert told in result.stderr


def test_all_folds_need_folds(weights: Path) -> None:
    Path("net.dls").write_text(SPEC.replace("folds(2)", "{ train: 0.5, test: 0.5 }"))
    assert "DLS0812" in run("train", "net.dls", "--fold", "all").stderr
    assert run("train", "net.dls", "--fold", "few").exit_code == 2


def test_mean_and_deviation() -> None:
    found = summary([{"val": {"loss": x, "table": [[1]]}} for x in (1.0, 2.0, 6.0)])
    assert found == {"val": {"loss": {"mean": 3.0, "deviation": pytest.approx(7**0.5)}}}


@pytest.mark.slow
def test_all_folds_are_trained_once(weights: Path) -> None:
    shown = run("train", "net.dls", "--fold", "all").stdout
    parts = [float(x) for x in re.findall(r"^val: loss (\S+)$", shown, re.MULTILINE)]
    mean, deviation = map(float, re.findall(r"^val: loss (\S+) ± (\S+)$", shown, re.MULTILINE)[0])
    assert mean == pytest.approx(sum(parts) / 2, rel=1e-3)
    assert deviation == pytest.approx(abs(parts[0] - parts[1]) / 2**0.5, rel=0.1)
    again = json.loads(run("train", "net.dls", "--fold", "all", "--json").stdout)
    folders = [each["folder"] for each in again["folds"]]
    assert folders == [f"runs/net-torch-folds/fold-{fold}" for fold in (0, 1)]
    assert "trained before" in run("train", "net.dls", "--fold", "1").stdout
    assert loss(Path(folders[1], "weights.safetensors")) == pytest.approx(parts[1], rel=1e-3)

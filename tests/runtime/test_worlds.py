"""Playing in a world: what is remembered, how often actions are random, and that it learns on both frameworks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import QUIET, Project, load_project, run_training, write_project
from dlspec.zoo import specs

pytest.importorskip("gymnasium")


def files(backend: str, tmp_path: Path, more: str = "") -> dict[str, str]:
    """The printed project of a short training; `more` is added to its settings."""
    text = specs()["training/dqn"].read_text("utf-8")
    short = text.replace("size: 20000, start: 1000, every: 2", "size: 50, start: 40").replace(
        "steps: 5000", "steps: 100"
    )
    short = short.replace("max_steps  = 25000", f"max_steps = 400  {more}")
    path = tmp_path / "dqn.dls"
    path.write_text(short.replace("../decisions/dqn.dls", "dqn_loss.dls"), "utf-8")
    loss = specs()["decisions/dqn"].read_text("utf-8")
    (tmp_path / "dqn_loss.dls").write_text(loss, "utf-8")
    program = load_program(path)
    return print_project(program, "DQN", load_backend(backend))


def project(backend: str, tmp_path: Path) -> Project:
    return load_project(files(backend, tmp_path))


def test_memory(tmp_path: Path) -> None:
    """The oldest go first; samples are rows of what is there."""
    data = project("torch", tmp_path).data
    replay = data.Replay()
    for number in range(60):
        state = np.full(4, number, np.float32)
        replay.add(
            {"state": state, "action": number % 2, "reward": 1.0, "next_state": state + 1, "terminal": False}
        )
        assert replay.sample(5, np.random.default_rng(0))["state"].max() <= number
    batch = replay.sample(1000, np.random.default_rng(0))
    assert set(batch["state"][:, 0]) == set(range(10, 60))
    assert np.array_equal(batch["next_state"], batch["state"] + 1)
    assert np.array_equal(batch["action"], batch["state"][:, 0] % 2)
    assert {name: values.dtype for name, values in batch.items()}["action"] == np.int64
    assert [data.exploring(step) for step in (0, 50, 100, 1000)] == pytest.approx([1, 0.525, 0.05, 0.05])


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_plays_and_learns(backend: str, tmp_path: Path) -> None:
    made = project(backend, tmp_path)
    learner = made.new_training()
    history = made.train.train(learner, tmp_path, steps=60, seed=3)
    assert [row["steps"] for row in history] == [60]
    assert history[0]["loss"] > 0
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == history
    assert learner.act(np.zeros(4, np.float32)) in (0, 1)
    assert 8 <= made.train.evaluate(learner, episodes=2)["return"] <= 500


def test_states_of_another_shape(tmp_path: Path) -> None:
    data = project("torch", tmp_path).data
    data.SHAPE = (5,)
    with pytest.raises(ValueError, match="state: expected"):
        data.make()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_killed_while_it_plays(backend: str, tmp_path: Path) -> None:
    """It goes on in the middle of an episode, with what it remembered, to the same weights."""
    code = files(backend, tmp_path, "checkpoint = { steps: 30 }")
    code["train.py"] = code["train.py"].replace("episodes: int = 100", "episodes: int = 1")
    write_project(code, tmp_path / "code")
    run_training(tmp_path / "code", ["--out", str(tmp_path / "whole")])
    run = tmp_path / "run"
    command = [sys.executable, tmp_path / "code/train.py", "--out", run, "--resume"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**QUIET, **os.environ}) as process:
        while process.poll() is None and len(list(run.glob("checkpoints/*.safetensors"))) < 2:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    run_training(tmp_path / "code", ["--out", str(run), "--resume"])
    assert (run / "weights.safetensors").read_bytes() == (tmp_path / "whole/weights.safetensors").read_bytes()
    assert len(list((run / "checkpoints").iterdir())) == 2


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_the_best_return_is_kept_and_playing_stops_some_reports_after_it(
    tmp_path: Path, backend: str
) -> None:
    printed = files(backend, tmp_path, "log = 30  early_stopping = { metric: return, patience: 3 }")
    often = {**printed, "train.py": printed["train.py"].replace("% 1000", "% 20")}
    write_project(often, tmp_path / "code")
    run_training(tmp_path / "code", ["--out", str(tmp_path / "run")])
    returns = [
        json.loads(line)["return"] for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()
    ]
    best = max(returns)
    assert len(returns) in (returns.index(best) + 4, 20)
    assert (tmp_path / "run/best.safetensors").read_bytes() == (
        tmp_path / "run/weights.safetensors"
    ).read_bytes()
    steps = [json.loads(line) for line in (tmp_path / "run/steps.jsonl").read_text().splitlines()]
    assert [each["step"] for each in steps] == list(range(30, 20 * len(returns) - 39, 30))
    assert steps[0].keys() == {"step", "loss", "rate"}

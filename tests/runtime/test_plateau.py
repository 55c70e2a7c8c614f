"""Rates that fall on a plateau: as PyTorch's ReduceLROnPlateau, the same on both frameworks, and after a resume."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project, run_training, write_project
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import load_weights, save_weights

SPEC = """
model Net {{
  input point: f32[N, 2]
  output logits = point -> Linear(5) -> tanh -> Linear(3)
}}
data Moons {{
  source  = synthetic("moons", noise = 0.1)
  columns = {{ point: f32[2], label: i64 }}
  split   = {{ train: 0.5, val: 0.5 }}
}}
train Net on Moons {{
  loss       = cross_entropy(logits, label)
  metrics    = {{ accuracy: accuracy(logits, label) }}
  optimizer  = {optimizer}
  batch_size = 100
  epochs     = 8
  on_plateau = {{ {plateau} }}
  {settings}
}}
"""
# A setting, and the same for PyTorch, where the rate is 0.5.
CASES: dict[str, dict[str, Any]] = {
    "metric: val_loss": {"factor": 0.1, "patience": 10},
    "metric: val_loss, factor: 0.5, patience: 0": {"factor": 0.5, "patience": 0},
    "metric: val_loss, factor: 0.5, patience: 2, cooldown: 4": {"factor": 0.5, "patience": 2, "cooldown": 4},
    "metric: val_loss, factor: 0.3, patience: 1, min_delta: 0.05, end: 0.02": {
        "factor": 0.3,
        "patience": 1,
        "threshold": 0.05,
        "min_lr": 0.01,
    },
    "metric: val_accuracy, goal: max, factor: 0.2, patience: 3, min_delta: 0.01": {
        "mode": "max",
        "factor": 0.2,
        "patience": 3,
        "threshold": 0.01,
    },
}


def printed(folder: Path, backend: str, plateau: str, optimizer: str, settings: str = "") -> dict[str, str]:
    """The files of the spec; `folder` has its weights."""
    spec = folder / "net.dls"
    spec.write_text(SPEC.format(plateau=plateau, optimizer=optimizer, settings=settings))
    program = load_program(spec)
    save_weights(folder / "start.safetensors", draw_weights(program, program.models["Net"]))
    return print_project(program, "Net", load_backend(backend))


@pytest.mark.parametrize("case", CASES)
def test_rates_are_those_of_pytorch(case: str, tmp_path: Path) -> None:
    import torch

    train = load_project(printed(tmp_path, "torch", case, "SGD(lr = 0.5)")).train
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.5)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, threshold_mode="abs",
                                                        **{"threshold": 0, **CASES[case]}, eps=0)  # fmt: skip
    rng, history, seen = np.random.default_rng(1), [], set()
    for epoch in range(80):
        value = math.exp(-epoch / 10) + 0.1 * float(rng.normal())
        history.append({"val_loss": value, "val_accuracy": -value})
        theirs.step(-value if "accuracy" in case else value)
        seen.add(round(optimizer.param_groups[0]["lr"], 12))
        assert 0.5 * train.plateau_factor(history) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert len(seen) > 2


def run(folder: Path, backend: str, optimizer: str, settings: str = "") -> tuple[Path, list[float]]:
    """The folder of a run of the spec, and its losses on the split held out."""
    plateau = "metric: val_loss, factor: 0.5, patience: 0, min_delta: 0.05"
    code, out = folder / backend / "code", folder / backend / "run"
    write_project(printed(folder, backend, plateau, optimizer, settings), code)
    run_training(code, ["--out", str(out), "--weights", str(folder / "start.safetensors")])
    return out, [each["val_loss"] for each in json.loads((out / "metrics.json").read_text())["history"]]


@pytest.mark.slow
def test_both_frameworks_go_the_same_way(tmp_path: Path) -> None:
    optimizer = "Adam(lr = 0.02 * warmup(5))"
    (out, losses), (other, others) = (
        run(tmp_path, backend, optimizer, "log = 3") for backend in ("torch", "keras")
    )
    np.testing.assert_allclose(losses, others, rtol=1e-4)
    lines, same = ([json.loads(line) for line in (each / "steps.jsonl").read_text().splitlines()]
                   for each in (out, other))  # fmt: skip
    assert [line["step"] for line in lines] == list(range(3, len(lines) * 3 + 1, 3))
    assert lines[0]["rate"] == pytest.approx(0.02 * 3 / 5)
    assert {round(line["rate"] / 0.02, 6) for line in lines[1:]} >= {1.0, 0.5}
    for line, twin in zip(lines, same, strict=True):
        assert twin == pytest.approx(line, rel=1e-3)
    theirs = load_weights(other / "weights.safetensors")
    for name, array in load_weights(out / "weights.safetensors").items():
        np.testing.assert_allclose(array, theirs[name], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_resumed_run_knows_the_plateau(backend: str, tmp_path: Path) -> None:
    whole, _ = run(tmp_path, backend, "SGD(lr = 0.05)", "log = 3  checkpoint = { epochs: 1, keep: 8 }")
    files = sorted((whole / "checkpoints").iterdir())
    assert len(files) == 8
    again = tmp_path / "again"
    (again / "checkpoints").mkdir(parents=True)
    shutil.copy(files[4], again / "checkpoints")
    shutil.copy(whole / "steps.jsonl", again)  # with the lines of what is done again
    run_training(tmp_path / backend / "code", ["--out", str(again), "--resume"])
    assert (again / "weights.safetensors").read_bytes() == (whole / "weights.safetensors").read_bytes()
    assert (again / "steps.jsonl").read_text() == (whole / "steps.jsonl").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_the_best_averages_are_kept(backend: str, tmp_path: Path) -> None:
    """Early stopping beside averages, a plateau and pieces: what ends the run are the best epoch's averages."""
    stopping = "early_stopping = { metric: val_loss, patience: 2, min_delta: 0.05 }"
    out, losses = run(tmp_path, backend, "SGD(lr = 0.05)", f"ema = 0.9  accumulate = 2  {stopping}")
    best = 0
    for epoch, loss in enumerate(losses):
        best = epoch if loss < losses[best] - 0.05 else best
    assert len(losses) == best + 3
    results = json.loads((out / "metrics.json").read_text())["results"]
    assert results["val"]["loss"] == pytest.approx(losses[best], rel=1e-6)

"""`freeze`: parts of models that stay as they are, to the last bit, running statistics too; the others learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.ir.paths import under, under_any, weights_of
from dlspec.runtime.project import load_project
from dlspec.runtime.training import initial_weights
from dlspec.weights.store import load_weights, save_weights

SPEC = """
block Layer(width) {
  input x
  output x -> Linear(width) -> BatchNorm -> relu
}
block Pair(width) {
  input x
  output x -> Linear(width) -> tanh, x -> Linear(width)
}
model Net {
  input x: f32[N, 8]
  h = x -> repeat(4) { Layer(8) }
  pairs = [Pair(8) for _ in 0..3]
  for pair in pairs { a, b = h -> pair  h = a + b }
  output logits = h -> unsqueeze(1) -> GRU(5) -> flatten -> Linear(3)
}
data Rows {
  source  = csv("rows.csv")
  columns = { x: f32[8], label: i64 }
}
train Net on Rows {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 0.01, momentum = 0.5, weight_decay = 0.1)
  SETTINGS
}
"""
RNG = np.random.default_rng(0)
BATCH = {"x": RNG.random((16, 8), "float32"), "label": np.arange(16) % 3}
CASES = {
    "copies": "[layers[:2], pairs[1:], linear]",
    "all copies, and a recurrent layer": "[layers, pairs, gru]",
    "parts of copies": '["layers.*.linear.weight", pairs[-1].linear1, layers[0].norm]',
}


def spec(settings: str) -> Program:
    return loads(SPEC.replace("SETTINGS", settings)).program


def started(program: Program, backend: str, folder: Path) -> tuple[Any, Any]:
    """The live project, and a training with weights away from what is drawn."""
    training = next(iter(program.trainings.values()))
    drawn = initial_weights(program, training, 0)
    save_weights(folder / "start", {name: array + np.float32(0.01) for name, array in drawn.items()})
    live = load_project(print_project(program, training.name, load_backend(backend)))
    learner = live.new_training()
    live.weights.load(learner if len(training.models) > 1 else learner.model, folder / "start")
    return live, learner


def after_steps(program: Program, backend: str, folder: Path, steps: int = 2) -> dict[str, Any]:
    live, learner = started(program, backend, folder)
    batch = learner.tensors(BATCH) if backend == "torch" else BATCH
    for _ in range(steps):
        learner.train_step(batch)
    several = len(next(iter(program.trainings.values())).models) > 1
    live.weights.save(learner if several else learner.model, folder / "end")
    return load_weights(folder / "end")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("case", CASES)
def test_what_is_frozen_stays_and_all_else_learns(case: str, backend: str, tmp_path: Path) -> None:
    program = spec(f"freeze = {CASES[case]}  ema = 0.9")
    training = program.trainings["Net"]
    frozen = under_any(training.freeze, weights_of(program.graphs, training.models))
    assert frozen
    found, start = after_steps(program, backend, tmp_path), load_weights(tmp_path / "start")
    for name, array in found.items():
        assert np.array_equal(array, start[name]) == (name in frozen), name


@pytest.mark.slow
def test_both_frameworks_take_the_same_steps(tmp_path: Path) -> None:
    program = spec("freeze = layers[:3]")
    torch, keras = (after_steps(program, backend, tmp_path) for backend in ("torch", "keras"))
    assert all(np.abs(torch[name] - keras[name]).max() < 1e-5 for name in torch)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_checkpoint_goes_on_the_same(backend: str, tmp_path: Path) -> None:
    program = spec("freeze = layers  checkpoint = {}")
    whole = after_steps(program, backend, tmp_path, steps=3)
    live, first = started(program, backend, tmp_path)
    batch = first.tensors(BATCH) if backend == "torch" else BATCH
    first.train_step(batch)
    second = live.new_training()
    second.restore(first.state())
    for _ in range(2):
        second.train_step(batch)
    live.weights.save(second.model, tmp_path / "end")
    assert all(np.array_equal(array, whole[name]) for name, array in load_weights(tmp_path / "end").items())


def test_frozen_weights_are_not_given_to_the_optimizer() -> None:
    program = spec("freeze = layers")
    files = print_project(program, "Net", load_backend("torch"))
    assert "[p for p in model.parameters() if p.requires_grad]" in files["train.py"]
    plain = print_project(spec(""), "Net", load_backend("torch"))["train.py"]
    assert "requires_grad" not in plain
    assert "def train(self" not in plain


def test_paths() -> None:
    names = ["a.0.norm.weight", "a.1.norm.weight", "a.1.linear.bias", "ab.norm.bias", "bias"]
    assert under("a", names) == names[:3]
    assert under("a.*.norm", names) == names[:2]
    assert under("**.norm", names) == [*names[:2], names[3]]
    assert under("**.bias", names) == names[2:]
    assert under("a.**.bias", names) == names[2:3]
    assert under("a.2", names) == under("*.x", names) == under("", names) == []

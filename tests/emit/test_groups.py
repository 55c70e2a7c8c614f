"""Groups of an optimizer: rates and weight decay of the weights under some paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.diagnostics import SpecError
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.ir.groups import Group
from dlspec.ir.paths import apart
from dlspec.runtime.project import load_project
from dlspec.runtime.training import initial_weights
from dlspec.weights.store import load_weights, save_weights

SPEC = """
block Layer(width) {
  input x
  output x -> Linear(width) -> BatchNorm -> tanh
}
model Net {
  input x: f32[N, 8]
  h = x -> repeat(4) { Layer(8) }
  output logits = h -> unsqueeze(1) -> GRU(5) -> flatten -> Linear(3)
}
data Rows {
  source  = csv("rows.csv")
  columns = { x: f32[8], label: i64 }
}
train Net on Rows {
  loss      = cross_entropy(logits, label)
  optimizer = OPTIMIZER
  SETTINGS
}
"""
RNG = np.random.default_rng(0)
BATCH = {"x": RNG.random((16, 8), "float32"), "label": np.arange(16) % 3}
CASES = {
    "copies, a vector and a layer": """SGD(lr = 0.1, weight_decay = 0.1, groups = {
      "layers.*.norm": { weight_decay: 0 }, "layers.0": { lr: 0.01 }, "linear.bias": { lr: 0.2 }, gru: { lr: 0.02 }
    })""",
    "schedules": """AdamW(lr = 0.01 * linear, eps = 1e-3, groups = {
      layers: { lr: 0.002 * cosine }, linear: { lr: 0.02 }
    })""",
    "halves": """SGD(lr = 0.1, weight_decay = 0.1, decay = "matrices", groups = {
      layers: { lr: 0.01, weight_decay: 0.3 }
    })""",
}


def spec(optimizer: str, settings: str = "") -> Program:
    return loads(SPEC.replace("OPTIMIZER", optimizer).replace("SETTINGS", settings)).program


def started(program: Program, backend: str, folder: Path) -> tuple[Any, Any]:
    save_weights(folder / "start", initial_weights(program, program.trainings["Net"], 0))
    live = load_project(print_project(program, "Net", load_backend(backend)))
    learner = live.new_training()
    learner.total = 5
    live.weights.load(learner.model, folder / "start")
    return live, learner


def saved(live: Any, learner: Any, folder: Path) -> dict[str, Any]:
    live.weights.save(learner.model, folder / "end")
    return load_weights(folder / "end")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_both_frameworks_take_the_same_steps(case: str, tmp_path: Path) -> None:
    """And other ones than without groups; what they are: tests/runtime/test_trajectories.py."""
    plain = CASES[case].partition(", groups")[0] + ")"
    ends = []
    for backend, optimizer in (("torch", CASES[case]), ("keras", CASES[case]), ("torch", plain)):
        live, learner = started(spec(optimizer), backend, tmp_path)
        for _ in range(4):
            learner.train_step(learner.tensors(BATCH) if backend == "torch" else BATCH)
        ends.append(saved(live, learner, tmp_path))
    torch, keras, without = ends
    assert all(np.abs(torch[name] - keras[name]).max() < 1e-5 for name in torch)
    assert any(np.abs(torch[name] - without[name]).max() > 1e-3 for name in torch)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_checkpoint_goes_on_the_same(backend: str, tmp_path: Path) -> None:
    program = spec(CASES["schedules"], "checkpoint = {}")
    live, whole = started(program, backend, tmp_path)
    batch = whole.tensors(BATCH) if backend == "torch" else BATCH
    for _ in range(3):
        whole.train_step(batch)
    wanted = saved(live, whole, tmp_path)
    live, first = started(program, backend, tmp_path)
    first.train_step(batch)
    second = live.new_training()
    second.restore(first.state())
    second.updates, second.total = 1, 5
    for _ in range(2):
        second.train_step(batch)
    found = saved(live, second, tmp_path)
    assert all(np.array_equal(array, wanted[name]) for name, array in found.items())


def test_without_groups_nothing_is_printed_of_them() -> None:
    for backend, printed in (("torch", "in_groups("), ("keras", "AdamWInGroups(")):
        for optimizer, some in (("AdamW(lr = 0.1)", False), (CASES["schedules"], True)):
            files = print_project(spec(optimizer), "Net", load_backend(backend))
            assert (printed in files["train.py"]) == some


def test_what_keras_keeps_in_one_variable_has_one_rate() -> None:
    program = spec('SGD(lr = 0.1, groups = { "gru.bias_ih_l0": { lr: 0.01 } })')
    assert "model.gru.bias_ih_l0" in print_project(program, "Net", load_backend("torch"))["train.py"]
    with pytest.raises(SpecError, match="in one variable"):
        print_project(program, "Net", load_backend("keras"))


def test_of_several_groups_the_last_one_holds() -> None:
    names = ["a.weight", "a.bias", "b.weight", "b.bias", "c"]
    groups = [Group(path="a", lr=1.0), Group(path="**.bias", weight_decay=0.0), Group(path="b", rate="r")]
    late = Group(path="b.bias", lr=2.0)
    assert apart([*groups, late], names) == {
        Group(path="", lr=1.0): ["a.weight"],
        Group(path="", lr=1.0, weight_decay=0.0): ["a.bias"],
        Group(path="", rate="r"): ["b.weight"],
        Group(path="", lr=2.0, weight_decay=0.0): ["b.bias"],
    }

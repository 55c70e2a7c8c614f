"""Models that follow others, and steps that are rarer than others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.elaborate.program import elaborate
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project
from dlspec.runtime.training import initial_weights
from dlspec.runtime.verify.report import compare
from dlspec.runtime.verify.trajectory import Trajectories
from dlspec.syntax.parser import parse_text
from dlspec.weights.store import load_weights, save_weights

SPEC = """
model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(8) -> BatchNorm -> relu -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  prepare { image = image / 16 }
}
train Copies on Digits {
  models = { A: Net, B: Net, S: Net }
  step often updates A with SGD(lr = 0.1) { minimize cross_entropy(A(image), label) }
  step seldom updates A with SGD(lr = 0.1) every 2 { minimize mean(A(image) ** 2) }
  copy A to B every 3
  copy A to S rate 0.25
}
"""


def history(backend: str, path: Path, steps: int) -> tuple[list[dict[str, Any]], list[set[str]]]:
    """All weights before and after each step, and the losses of each."""
    program = elaborate(parse_text(SPEC), None)
    save_weights(path / "start", initial_weights(program, program.trainings["Copies"], 0))
    live = load_project(print_project(program, "Copies", load_backend(backend)))
    training = live.new_training()
    live.weights.load(training, path / "start")
    batches = live.data.batches(live.data.load("train"), 32)
    found, losses = [load_weights(path / "start")], []
    for batch, _ in zip(batches, range(steps), strict=False):
        losses.append(set(training.train_step(training.tensors(batch) if backend == "torch" else batch)))
        live.weights.save(training, path / "now")
        found.append(load_weights(path / "now"))
    return found, losses


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_copies_follow(tmp_path: Path, backend: str) -> None:
    states, losses = history(backend, tmp_path, 5)
    names = [name[2:] for name in states[0] if name.startswith("A.")]
    assert any("mean" in name for name in names), "averages are copied, too"
    for name in names:
        of = {model: [state[f"{model}.{name}"] for state in states] for model in "ABS"}
        assert np.array_equal(of["A"][0], of["B"][0])
        assert np.array_equal(of["A"][0], of["S"][0])
        for after in (1, 2, 3):  # copied before the first update
            assert np.array_equal(of["B"][after], of["A"][0]), name
        for after in (4, 5):  # and after the third
            assert np.array_equal(of["B"][after], of["A"][3]), name
        for after in range(1, 6):
            wanted = 0.75 * of["S"][after - 1] + 0.25 * of["A"][after]
            np.testing.assert_allclose(of["S"][after], wanted, rtol=1e-5, atol=1e-6)
    assert losses == [{"often"}, {"often", "seldom"}, {"often"}, {"often", "seldom"}, {"often"}]


@pytest.mark.slow
def test_both_frameworks_take_the_same_way() -> None:
    """Copies, rare steps, and a model that is frozen in a step: 20 updates, in f32 and in f64."""
    taught = "  step taught updates P with SGD(lr = 0.1) { minimize mean((P(image) - T(image)) ** 2) }\n"
    spec = SPEC.replace("S: Net }", "S: Net, T: frozen(Net), P: Net }").replace(
        "  copy A to B", taught + "  copy A to B"
    )
    runs = Trajectories(elaborate(parse_text(spec), None), "Copies", steps=20)
    for double, limit in ((False, 1e-4), (True, 1e-9)):
        ends = [(name, runs.trained(name, double)) for name in ("torch", "keras")]
        check = compare("weights", *ends, limit, set(runs.noise))
        assert check.ok, f"{check.tensor}: {check.error:.1e}"


def test_a_mean_is_over_the_batches_of_its_step() -> None:
    program = elaborate(parse_text(SPEC), None)
    live = load_project(print_project(program, "Copies", load_backend("torch")))
    batches = [{"x": np.zeros(2)}, {"x": np.zeros(2)}, {"x": np.zeros(1)}]
    results = iter([{"a": 1.0}, {"a": 1.0, "b": 4.0}, {"a": 2.0, "b": 1.0}])
    assert live.train.means(lambda batch: next(results), batches) == {"a": 6 / 5, "b": 3.0}

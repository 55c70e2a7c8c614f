"""Trainings one after another, and models that are kept as they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import elaborate
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project
from dlspec.runtime.stages import stages
from dlspec.runtime.training import initial_weights
from dlspec.syntax.parser import parse_text
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import load_weights, save_weights

SPEC = """
model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(16) -> Dropout(0.5) -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  prepare { image = image / 16 }
}
train Net on Digits {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 0.1)
}
train Apart on Digits {
  models = { A: Net }
  step learn updates A with SGD(lr = 0.1) { minimize cross_entropy(A(image), label) }
}
train Pupil on Digits {
  models    = { T: frozen(Net), S: Net }
  init_from = { T: trained("Net") }
  step follow updates S with SGD(lr = 0.1) { minimize mean((S(image) - T(image)) ** 2) }
  step listen updates S with SGD(lr = 0.1) { minimize mean(T(image) ** 2) + 0 * mean(S(image)) }
}
"""


def test_what_is_run_and_in_which_order() -> None:
    program = elaborate(parse_text(SPEC), None)
    assert stages(program, None) == ["Net", "Apart", "Pupil"]
    assert stages(program, "Pupil") == ["Net", "Pupil"]
    assert stages(program, "Apart") == ["Apart"]


def test_weights_are_handed_on(tmp_path: Path) -> None:
    program = elaborate(parse_text(SPEC), None)
    pupil = program.trainings["Pupil"]
    ended = {name: array + 1 for name, array in draw_weights(program, "Net").items()}
    save_weights(tmp_path / "net", ended)
    arrays = initial_weights(program, pupil, 0, earlier={"Net": tmp_path / "net"})
    drawn = initial_weights(program, pupil.model_copy(update={"init_from": {}}), 0)
    for name, array in ended.items():
        assert np.array_equal(arrays[f"T.{name}"], array)
        assert np.array_equal(arrays[f"S.{name}"], drawn[f"S.{name}"])
    with pytest.raises(SpecError) as caught:
        initial_weights(program, pupil, 0)
    assert caught.value.diagnostics[0].code == "DLS0724"


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_frozen_model_stays_and_is_in_inference_mode(tmp_path: Path, backend: str) -> None:
    program = elaborate(parse_text(SPEC), None)
    pupil = program.trainings["Pupil"].model_copy(update={"init_from": {}})
    program = program.model_copy(update={"trainings": {"Pupil": pupil}})
    save_weights(tmp_path / "start", initial_weights(program, pupil, 0))
    live = load_project(print_project(program, "Pupil", load_backend(backend)))
    training = live.new_training()
    live.weights.load(training, tmp_path / "start")
    batch = next(iter(live.data.batches(live.data.load("train"), 32)))
    training.evaluate(batch)
    losses = [step(training, batch) for _ in range(3)]
    live.weights.save(training, tmp_path / "end")
    start, end = load_weights(tmp_path / "start"), load_weights(tmp_path / "end")
    for name, array in start.items():
        assert np.array_equal(array, end[name]) == name.startswith("T."), name
    heard = [float(each["listen"]) for each in losses]
    assert heard == pytest.approx([heard[0]] * 3, rel=1e-6), "no dropout in the frozen one"
    assert len({float(each["follow"]) for each in losses}) == 3


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_what_is_called_after_a_frozen_model_learns(backend: str) -> None:
    """Its dropout is on: Keras would hand on the mode of what was called before."""
    text = (
        SPEC.partition("train Net")[0]
        + """
train Pupil on Digits {
  models = { T: frozen(Net), S: Net }
  step follow updates S with SGD(lr = 1e-12) { minimize 0 * mean(T(image)) + mean(S(image) ** 2) }
}
"""
    )
    live = load_project(print_project(elaborate(parse_text(text), None), "Pupil", load_backend(backend)))
    training = live.new_training()
    batch = next(iter(live.data.batches(live.data.load("train"), 32)))
    losses = [float(*step(training, batch).values()) for _ in range(3)]
    assert max(losses) > 1.001 * min(losses), losses
    measured = [training.evaluate(batch)["loss"] for _ in range(2)]
    assert measured[0] == pytest.approx(measured[1], rel=1e-6), "no dropout where it is measured"


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_loss_changes_with_the_progress(backend: str) -> None:
    text = (
        SPEC.partition("train Net")[0]
        + """
train Growing on Digits {
  models = { S: Net }
  step grow updates S with SGD(lr = 1e-3) { minimize 2 * progress + 0 * mean(S(image)) }
}
"""
    )
    live = load_project(print_project(elaborate(parse_text(text), None), "Growing", load_backend(backend)))
    training = live.new_training()
    training.total = 4
    batches = live.data.batches(live.data.load("train"), 32)
    losses = [float(step(training, batch)["loss"]) for _, batch in zip(range(4), batches, strict=False)]
    assert losses == pytest.approx([0, 0.5, 1, 1.5], abs=1e-6)


def step(training: Any, batch: dict[str, Any]) -> dict[str, Any]:
    return training.train_step(training.tensors(batch) if hasattr(training, "tensors") else batch)

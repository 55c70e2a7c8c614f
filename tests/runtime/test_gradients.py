"""`grad` in a training: the same on both frameworks, and differentiated again where it must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import elaborate
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.emit.project import print_project
from dlspec.runtime.interpreter import run
from dlspec.runtime.project import load_project
from dlspec.syntax.parser import parse_text
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import load_weights, save_weights

PENALTY = """
  step only updates S with SGD(lr = 0.05) {
    moved = image * 2
    score = S(moved)
    slope = grad(sum(score), moved)
    again = grad(sum(slope ** 2), moved)
    plain = grad(mean(score), image)
    other = grad(mean(S(image) ** 2), image)
    joint = grad(mean(S(image) ** 2) + sum(slope ** 2) + mean(other ** 2), image)
    minimize mean(slope ** 2) + mean(again ** 2) + mean((score - 1) ** 2) + mean((plain + other + joint) ** 2)
  }
"""
ADVERSARIAL = """
  step only updates S with SGD(lr = 0.05) {
    ahead = stop_gradient(sign(grad(mean(S(image) ** 2), image)))
    minimize mean(S(image + 0.1 * ahead) ** 2)
  }
"""


def program(steps: str) -> Any:
    return elaborate(
        parse_text(
            """
model Score {
  input image: f32[N, 64]
  output score = image -> Linear(5) -> tanh -> Linear(1)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  prepare { image = image / 16 }
}
train Game on Digits {
  models  = { S: Score }
  STEPS
  metrics = { slope: mean(abs(grad(sum(S(image)), image))), plain: mean(S(image)) }
}
""".replace("STEPS", steps)
        ),
        None,
    )


@pytest.mark.parametrize("steps", [PENALTY, ADVERSARIAL], ids=["penalty", "adversarial"])
def test_both_frameworks_differentiate_alike(tmp_path: Path, steps: str) -> None:
    made = program(steps)
    save_weights(tmp_path / "start", draw_weights(made, "Score"))
    ends, measured = [], []
    for backend in ("torch", "keras"):
        live = load_project(print_project(made, "Game", load_backend(backend)))
        training = live.new_training()
        live.weights.load(training.S, tmp_path / "start")
        for batch in list(live.data.batches(live.data.load("train"), 32))[:4]:
            training.train_step(training.tensors(batch) if backend == "torch" else batch)
        live.weights.save(training.S, tmp_path / backend)
        ends.append(load_weights(tmp_path / backend))
        measured.append(training.evaluate(live.data.load("train")))
    start = load_weights(tmp_path / "start")
    for name, array in ends[0].items():
        assert np.abs(array - start[name]).max() > 1e-4, "it learns"
        assert np.abs(array - ends[1][name]).max() <= 1e-5 * np.abs(array).max(), name
    assert measured[0] == pytest.approx(measured[1], rel=1e-4)
    assert measured[0]["slope"] > 1e-3


def test_a_penalty_is_differentiated_and_an_attack_is_not() -> None:
    texts = [
        print_project(program(s), "Game", load_backend("torch"))["train.py"] for s in (PENALTY, ADVERSARIAL)
    ]
    losses = [text.partition("def metrics")[0] for text in texts]
    assert losses[0].count("create_graph=True") == 5
    assert losses[1].count("retain_graph=True") == 1
    assert "create_graph" not in losses[1]


def test_what_has_no_gradients_says_so() -> None:
    made = program(PENALTY)
    key = made.trainings["Game"].evaluate
    with pytest.raises(SpecError) as caught:
        print_onnx(made.model_copy(update={"models": {"evaluate": key}}), "evaluate", load_backend("onnx"))
    assert caught.value.diagnostics[0].code == "DLS0702"
    weights = {f"S.{name}": array for name, array in draw_weights(made, "Score").items()}
    with pytest.raises(SpecError) as caught:
        run(made, key, {"image": np.zeros((2, 64), np.float32)}, weights)
    assert caught.value.diagnostics[0].code == "DLS0702"

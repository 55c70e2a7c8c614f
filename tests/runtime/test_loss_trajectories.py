"""Every loss trains to the same weights on both frameworks, in f32 and in f64."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlspec
from dlspec.runtime.verify.trajectory import Trajectories

SPEC = """
import {{ focal, focal_classes, dice, triplet, margin }} from "std/losses"
import {{ weighted_cross_entropy, smoothed_cross_entropy }} from "std/losses"

model Net {{
  input image: f32[N, 64]
  output logits = image -> Linear(8) -> tanh -> Linear(10)
}}
data Digits {{
  source  = sklearn("digits")
  columns = {{ image: f32[64], label: i64 }}
  split   = {{ train: 0.75, test: 0.25 }}
  prepare {{ image = image / 16 }}
}}
train Net on Digits {{
  loss       = {}
  optimizer  = SGD(lr = 0.1, momentum = 0.5)
  batch_size = 16
}}
"""
TRUTH = "one_hot(label, 10)"
LOSSES = {
    "cross entropy": "cross_entropy(logits, label)",
    "label smoothing": "smoothed_cross_entropy(logits, label, smoothing = 0.2)",
    "ignore index": "cross_entropy(logits, where(label == 7, 255, label), ignore_index = 255)",
    "class weights": "weighted_cross_entropy(logits, label, weights = [0.5, 1, 2, 0.1, 3, 1, 1, 0.7, 1.5, 0.25])",
    "negative log likelihood": "nll_loss(log_softmax(logits, axis = 1), label)",
    "binary cross entropy": f"bce_with_logits(logits, {TRUTH})",
    "focal, binary": f"focal(logits, {TRUTH})",
    "focal, classes": "focal_classes(logits, label, gamma = 1.5)",
    "dice": f"dice(sigmoid(logits), {TRUTH})",
    "triplet": "triplet(logits, image[:, :10], image[:, 20:30])",
    "margin": "margin(sigmoid(logits), label)",
    "squared error": f"mse_loss(logits, {TRUTH})",
    "absolute error": f"l1_loss(logits, {TRUTH})",
    "huber": f"huber_loss(logits, {TRUTH}, delta = 0.3)",
    "smooth l1": f"smooth_l1_loss(logits, {TRUTH}, beta = 0.3)",
    "divergence": f"kl_div(log_softmax(logits, axis = 1), softmax({TRUTH}, axis = 1))",
    "hinge": f"hinge_loss(logits, 2 * {TRUTH} - 1)",
    "poisson": f"poisson_nll_loss(0.1 * logits, {TRUTH})",
    "cosine similarity": f"1 - mean(cosine_similarity(logits, {TRUTH}))",
    "ctc": "ctc_loss(stack([logits, logits, image[:, :10]], axis = 1), label[:, none] % 9 + 1, "
    "cast(0 * label + 3, i64), cast(0 * label + 1, i64))",
}


@pytest.mark.slow
@pytest.mark.parametrize("loss", LOSSES)
def test_both_frameworks_learn_the_same(loss: str, tmp_path: Path) -> None:
    path = tmp_path / "net.dls"
    path.write_text(SPEC.format(LOSSES[loss]))
    runs = Trajectories(dlspec.load(path).program, "Net", steps=20)
    single, double = runs.compare(), runs.compare(double=True)
    assert single.error <= 1e-4
    assert double.error <= 1e-9

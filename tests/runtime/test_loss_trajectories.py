"""Every loss trains to the same weights on both frameworks, in f32 and in f64."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dlspec
from dlspec._data import data_path
from dlspec.ops import operators
from dlspec.ops.losses import _Loss
from dlspec.runtime.verify.report import compare
from dlspec.runtime.verify.trajectory import Trajectories

SPEC = """
import {{ focal, focal_classes, dice, triplet, margin }} from "std/losses"
import {{ weighted_cross_entropy, smoothed_cross_entropy }} from "std/losses"
import {{ nt_xent, in_batch_softmax, margin_contrastive }} from "std/contrastive"

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
    "contrast of views": "nt_xent(logits, log_softmax(logits * image[:, 20:30], axis = 1))",
    "contrast in the batch": "in_batch_softmax(logits, image[:, 20:30], -cast(label, f32) / 9, temperature = 0.5)",
    "contrast of pairs": "margin_contrastive(logits, image[:, 20:30], cast(label > 4, f32), margin = 3)",
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
    for double, limit in ((False, 1e-4), (True, 1e-9)):
        torch, keras = (runs.trained(name, double) for name in ("torch", "keras"))
        check = compare("weights", ("PyTorch", torch), ("Keras", keras), limit)
        assert check.ok, f"{check.tensor}: {check.error:.1e}"
        moved = compare("weights", ("PyTorch", torch), ("start", runs.start), limit)
        assert not moved.ok, "it learns"


def test_every_loss_is_tested() -> None:
    known = {name for name, op in operators().items() if issubclass(op, _Loss)}
    for library in ("losses", "contrastive"):
        text = data_path("specs").joinpath("std", f"{library}.dls").read_text("utf-8")
        known |= {*re.findall(r"^block (\w+)", text, re.MULTILINE)} - {"unit"}  # vectors of length 1, no loss
    assert {"cross_entropy", "nt_xent", "dice"} <= known
    assert known <= {*re.findall(r"\w+", " ".join(LOSSES.values()))}

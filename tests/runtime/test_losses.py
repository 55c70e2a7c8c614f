"""The losses of `std/losses`, by PyTorch, Keras and ONNX Runtime, against PyTorch's functions and NumPy."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.ir.graph import Program
from dlspec.runtime.data_check import load_split
from dlspec.runtime.training import evaluate, initial_weights
from dlspec.weights.store import save_weights

pytestmark = pytest.mark.slow

WEIGHTS = [0.5, 1, 2, 0.1, 3, 1, 1, 0.7, 1.5, 0.25]
SPEC = f"""
import {{ focal, focal_classes, dice, triplet, margin }} from "std/losses"
import {{ weighted_cross_entropy, smoothed_cross_entropy }} from "std/losses"

model Net {{
  input image: f32[N, 64]
  output logits = image -> Linear(10)
}}

data Digits {{
  source  = sklearn("digits")
  columns = {{ image: f32[64], label: i64 }}
  split   = {{ train: 0.9, test: 0.1 }}
  prepare {{ image = image / 16 }}
}}

train Net on Digits {{
  loss      = focal_classes(logits, label, gamma = 1.5)
  optimizer = SGD(lr = 0.1)
  metrics   = {{
    focal: focal(logits, one_hot(label, 10)), dice: dice(sigmoid(logits), one_hot(label, 10)),
    triplet: triplet(logits, image[:, :10], image[:, 20:30]),
    weighted: weighted_cross_entropy(logits, where(label == 7, -100, label), weights = {WEIGHTS}),
    smoothed: smoothed_cross_entropy(logits, label, smoothing = 0.2), margin: margin(sigmoid(logits), label)
  }}
  batch_size = 1000
}}
"""


@cache
def program() -> Program:
    return loads(SPEC).program


def _weights() -> dict[str, Any]:
    return initial_weights(program(), program().trainings["Net"], 0)


@cache
def wanted() -> dict[str, float]:
    """In f64, by PyTorch where it has them."""
    import torch
    import torch.nn.functional as F
    from torch import from_numpy as tensor

    columns = load_split(program(), program().trainings["Net"], "test")
    image, label = tensor(columns["image"].astype(np.float64)), tensor(columns["label"])
    weights = {name: tensor(array.astype(np.float64)) for name, array in _weights().items()}
    logits = image @ weights["linear.weight"].T + weights["linear.bias"]
    own, p, there = F.cross_entropy(logits, label, reduction="none"), logits.sigmoid(), F.one_hot(label, 10)
    right = torch.where(there > 0, p, 1 - p)
    share = torch.where(there > 0, 0.25, 0.75)
    known = torch.where(label == 7, -100, label)
    table = torch.tensor(WEIGHTS, dtype=torch.float64)
    long, short = (0.9 - p).clamp(min=0) ** 2, (p - 0.1).clamp(min=0) ** 2
    found = {
        "loss": ((1 - (-own).exp()) ** 1.5 * own).mean(),
        "focal": (-share * (1 - right) ** 2 * right.log()).mean(),
        "dice": (1 - (2 * (p * there).sum(1) + 1) / ((p + there).sum(1) + 1)).mean(),
        "triplet": F.triplet_margin_loss(logits, image[:, :10], image[:, 20:30]),
        "weighted": F.cross_entropy(logits, known, weight=table, ignore_index=-100),
        "smoothed": F.cross_entropy(logits, label, label_smoothing=0.2),
        "margin": (there * long + 0.5 * (1 - there) * short).sum(1).mean(),
    }
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("backend", ["torch", "keras", "onnx"])
def test_losses(backend: str, tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", _weights())
    found = evaluate(program(), program().trainings["Net"], tmp_path / "w.safetensors", backend, "test")
    assert list(found) == list(wanted())
    assert found == pytest.approx(wanted(), rel=2e-6)

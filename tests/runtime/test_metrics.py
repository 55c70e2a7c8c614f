"""Metrics over an epoch: those of `std/metrics`, by PyTorch, Keras and ONNX Runtime, against scikit-learn.

The last batch is smaller than the others, so that averages of batches would be wrong.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec._data import data_path
from dlspec.api import loads
from dlspec.ir.graph import Program
from dlspec.ops import epoch, metrics, operators
from dlspec.runtime.data_check import load_split
from dlspec.runtime.training import evaluate, initial_weights
from dlspec.weights.store import save_weights

pytestmark = pytest.mark.slow

SPEC = """
import { confusion, mean_iou, macro_f1, macro_precision, macro_recall } from "std/metrics"
import { precision, recall, f1, auc, perplexity, rmse, mae, r2, recall_at_k } from "std/metrics"

model Net {
  input image: f32[N, 64]
  output logits = image -> Linear(10)
}

data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  split   = { train: 0.9, test: 0.1 }
  prepare { image = image / 16 }
}

train Net on Digits {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 0.1)
  metrics   = {
    accuracy: accuracy(logits, label), top_3: top_k_accuracy(logits, label, k = 3),
    confusion: confusion(logits, where(label == 7, -100, label)),
    mean_iou: mean_iou(logits, label), macro_f1: macro_f1(logits, label),
    macro_precision: macro_precision(logits, label), macro_recall: macro_recall(logits, label),
    precision: precision(logits[:, 3], label == 3), recall: recall(logits[:, 3], label == 3),
    f1: f1(logits[:, 3], label == 3), auc: auc(logits[:, 3], label == 3),
    auc_with_ties: auc(argmax(logits, axis = 1), label > 4),
    perplexity: perplexity(logits, where(label == 7, -100, label)),
    rmse: rmse(logits, one_hot(label, 10)), mae: mae(logits, one_hot(label, 10)),
    r2: r2(logits[:, 2], label),
    binary: binary_accuracy(logits[:, 3], cast(label == 3, f32)),
    absolute: mean_absolute_error(logits, one_hot(label, 10)),
    squared: mean_squared_error(logits, one_hot(label, 10)),
    recall_at_2: recall_at_k(logits, one_hot(label, 10) + one_hot((label + 1) % 10, 10), k = 2),
    rate: total(sum(label)) / max(collect(label)) / N
  }
  batch_size = 32
}
"""


@cache
def program() -> Program:
    return loads(SPEC).program


@cache
def wanted() -> dict[str, Any]:
    """What scikit-learn and NumPy say of the whole split at once."""
    from sklearn import metrics as sk

    weights = _weights()
    columns = load_split(program(), program().trainings["Net"], "test")
    label = columns["label"]
    assert len(label) % 32
    logits = columns["image"].astype(np.float64) @ weights["linear.weight"].T + weights["linear.bias"]
    guess, score, three = logits.argmax(1), logits[:, 3], label == 3
    log_softmax = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    own, rows, kept = np.eye(10)[label], np.arange(len(label)), label != 7
    liked = own + np.eye(10)[(label + 1) % 10]
    best = np.argsort(-logits, axis=1)[:, :2]
    return {
        "loss": -log_softmax[rows, label].mean(),
        "accuracy": sk.accuracy_score(label, guess),
        "top_3": sk.top_k_accuracy_score(label, logits, k=3, labels=range(10)),
        "confusion": sk.confusion_matrix(label[kept], guess[kept], labels=range(10)).tolist(),
        "mean_iou": sk.jaccard_score(label, guess, average="macro"),
        "macro_f1": sk.f1_score(label, guess, average="macro"),
        "macro_precision": sk.precision_score(label, guess, average="macro", zero_division=0),
        "macro_recall": sk.recall_score(label, guess, average="macro"),
        "precision": sk.precision_score(three, score > 0),
        "recall": sk.recall_score(three, score > 0),
        "f1": sk.f1_score(three, score > 0),
        "auc": sk.roc_auc_score(three, score),
        "auc_with_ties": sk.roc_auc_score(label > 4, guess),
        "perplexity": np.exp(-log_softmax[rows, label][kept].mean()),
        "rmse": sk.root_mean_squared_error(own.ravel(), logits.ravel()),
        "mae": sk.mean_absolute_error(own.ravel(), logits.ravel()),
        "r2": sk.r2_score(label, logits[:, 2]),
        "binary": sk.accuracy_score(three, score > 0),
        "absolute": sk.mean_absolute_error(own.ravel(), logits.ravel()),
        "squared": sk.mean_squared_error(own.ravel(), logits.ravel()),
        "recall_at_2": (np.take_along_axis(liked, best, 1).sum(1) / liked.sum(1)).mean(),
        "rate": label.sum() / label.max() / len(label),
    }


def _weights() -> dict[str, Any]:
    return initial_weights(program(), program().trainings["Net"], 0)


@pytest.mark.parametrize("backend", ["torch", "keras", "onnx"])
def test_exact_over_an_epoch(backend: str, tmp_path: Path) -> None:
    save_weights(tmp_path / "w.safetensors", _weights())
    found = evaluate(program(), program().trainings["Net"], tmp_path / "w.safetensors", backend, "test")
    assert list(found) == list(wanted())
    assert found.pop("confusion") == wanted()["confusion"]
    for name, value in found.items():
        assert value == pytest.approx(wanted()[name], rel=2e-6), name


def test_every_metric_is_tested() -> None:
    text = data_path("specs").joinpath("std", "metrics.dls").read_text("utf-8")
    blocks = {*re.findall(r"^block (\w+)", text, re.MULTILINE)} - {"hits"}  # what `confusion` is made of
    ops = {name for name, op in operators().items() if op.__module__ in (metrics.__name__, epoch.__name__)}
    measured = SPEC.partition("metrics   = {")[2]
    assert blocks
    assert blocks <= {*re.findall(r"\w+", measured)}
    assert {"top_k_accuracy", "total"} <= ops <= {*re.findall(r"\w+", measured + text)}

"""Rules that ask for the shape of a weight, where Keras has two of the spec's in one variable: the biases of a GRU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.verify.report import compare
from dlspec.runtime.verify.trajectory import Trajectories

SPEC = """
model Net {{
  input image: f32[N, 8, 8]
  output logits = image[:, :4] -> {gru} -> Linear(10)
}}
data Digits {{
  source  = sklearn("digits")
  columns = {{ image: f32[8, 8], label: i64 }}
  split   = {{ train: 0.75, test: 0.25 }}
  prepare {{ image = image / 16 }}
}}
train Net on Digits {{
  loss       = cross_entropy(logits, label)
  optimizer  = {optimizer}
  batch_size = 16
}}
"""
GRU = 'GRU(6, output = "last")'
OPTIMIZERS = [
    "Muon(lr = 0.02, weight_decay = 0.1)",
    "LAMB(lr = 0.05, weight_decay = 0.1)",
    "Adafactor(lr = 0.2, weight_decay = 0.1)",
    'AdamW(lr = 0.02, weight_decay = 0.5, decay = "matrices")',
]


def loaded(folder: Path, gru: str, optimizer: str) -> Any:
    path = folder / "net.dls"
    path.write_text(SPEC.format(gru=gru, optimizer=optimizer))
    return dlspec.load(path).program


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_biases_of_a_gru_are_vectors(optimizer: str, tmp_path: Path) -> None:
    runs = Trajectories(loaded(tmp_path, GRU, optimizer), "Net", steps=20)
    for double, limit in ((False, 1e-4), (True, 1e-9)):
        sides = [(name, runs.trained(name, double)) for name in ("torch", "keras")]
        assert compare("weights", *sides, limit).ok


def printed(folder: Path, gru: str, optimizer: str) -> str:
    return print_project(loaded(folder, gru, optimizer), "Net", load_backend("keras"))["train.py"]


def test_only_rules_of_shapes_ask(tmp_path: Path) -> None:
    assert all("two_vectors" in printed(tmp_path, GRU, optimizer) for optimizer in OPTIMIZERS)
    assert "two_vectors" not in printed(tmp_path, GRU, "AdamW(lr = 0.02)")
    assert "two_vectors" not in printed(tmp_path, GRU.replace("GRU", "LSTM"), OPTIMIZERS[0])


def test_no_other_layer_keeps_two_weights_in_one_variable() -> None:
    rows = [row for each in load_backend("keras").rows.values() for row in each]
    shared = {
        (row.op, native.name[:-3]) for row in rows for native in row.weights.values() if "[" in native.name
    }
    assert shared == {("GRU", "cell.bias"), ("GRU", "*.cell.bias")}

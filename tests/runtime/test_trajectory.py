"""The same trajectory on both frameworks: counted draws, several players, and the chaos floor beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.runtime.project import load_project
from dlspec.runtime.verify.gradients import noise_of
from dlspec.runtime.verify.trajectory import Trajectories

DATA = """
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[8, 8], label: i64 }
  split   = { train: 0.75, test: 0.25 }
  prepare { image = unsqueeze(image, axis = 1) / 16 }
}
"""
NOISY = """
model Net {
  input image: f32[N, 1, 8, 8]
  x = image -> Conv2d(4, 3, padding = 1) -> Dropout(0.25) -> relu -> MaxPool2d(2) -> flatten
  y = x -> Linear(16) -> Dropout(0.5)
  noise = normal([N, 16], std = 0.1) + 0.1 * gumbel([N, 16]) + uniform([N, 16], low = -0.1, high = 0.1)
  output logits = (y + noise) * bernoulli(0.7, [N, 16]) -> Linear(10)
}
train Net on Digits {
  loss          = cross_entropy(logits, label)
  optimizer     = Adam(lr = 2e-3)
  batch_size    = 16
  SETTING
}
"""
MASKED = """
import { Attention } from "std/transformer"
import { SpatialDropout } from "std/conv"
model Net {
  input image: f32[N, 1, 8, 8]
  x = image -> Conv2d(8, 3, padding = 1) -> SpatialDropout(0.25) -> tanh
  rows = rearrange(x, "n c h w -> n h (c w)") -> Linear(12)
  output logits = Attention(3, dropout = 0.2)(rows) -> flatten -> Linear(10)
}
train Net on Digits {
  loss       = cross_entropy(logits, label)
  optimizer  = SGD(lr = 0.1)
  batch_size = 16
  SETTING
}
"""
PLAYERS = """
model Generator { input z: f32[N, 8]  output image = z -> Linear(64) -> sigmoid }
# A large eps: else roundings of gradients near zero decide the sign of a step.
model Discriminator { input image: f32[N, 64]  output real = image -> Dropout(0.3) -> Linear(16) -> relu -> Linear(1) }
train Gan on Digits {
  models     = { G: Generator(), D: Discriminator() }
  batch_size = 16
  step D updates D with Adam(lr = 1e-3, eps = 1e-3) {
    drawn = G(normal([N, 8]))
    minimize bce_with_logits(D(flatten(image)), 1) + bce_with_logits(D(drawn), 0)
  }
  step G updates G with Adam(lr = 1e-3, eps = 1e-3) {
    minimize bce_with_logits(D(G(normal([N, 8]))), 1)
  }
}
"""


def program(tmp_path: Path, text: str, setting: str = "") -> Program:
    path = tmp_path / "net.dls"
    path.write_text(text.replace("SETTING", setting) + DATA)
    return dlspec.load(path).program


@pytest.mark.slow
@pytest.mark.parametrize(("text", "name"), [(NOISY, "Net"), (MASKED, "Net"), (PLAYERS, "Gan")])
def test_both_frameworks_take_the_same_path(tmp_path: Path, text: str, name: str) -> None:
    runs = Trajectories(program(tmp_path, text), name, steps=6)
    single, double = runs.compare(), runs.compare(double=True, floor=False)
    assert 0 < single.error <= 1e-4
    assert 0 < double.error <= 1e-9
    assert single.chaos is not None
    assert 0 < single.chaos < 1e-3
    assert double.chaos is None


@pytest.mark.slow
def test_other_draws_are_another_path(tmp_path: Path) -> None:
    runs = Trajectories(program(tmp_path, NOISY), "Net", steps=3)
    before = runs.trained("torch", False)
    runs._project("torch", False).draws.seed = 1
    after = runs.trained("torch", False)
    assert np.abs(before["linear2.weight"] - after["linear2.weight"]).max() > 1e-3


def test_masks_of_channels_and_of_attention_have_streams(tmp_path: Path) -> None:
    for name in ("torch", "keras"):
        text = print_project(program(tmp_path, MASKED, "deterministic = true"), "Net", load_backend(name))[
            "model.py"
        ]
        assert 'draws.Dropout(p, "SpatialDropout.dropout")' in text
        assert 'draws.Dropout(dropout, "Attention.dropout")' in text


@pytest.mark.slow
def test_draws_are_equal_bit_by_bit_and_new_in_every_step(tmp_path: Path) -> None:
    trained = program(tmp_path, NOISY, "deterministic = true")
    torch, keras = (load_project(print_project(trained, "Net", load_backend(name))).draws
                    for name in ("torch", "keras"))  # fmt: skip
    steps = []
    for _ in range(3):
        found = []
        for draws in (torch, keras):
            draws.next_step()
            found.append([np.asarray(draws.uniform((50, 40), "a")), np.asarray(draws.uniform((50, 40), "a"))])
            normal = np.asarray(draws.normal((2000,), "b"))
            assert abs(normal.mean()) < 0.1
            assert abs(normal.std() - 1) < 0.06
        np.testing.assert_array_equal(found[0], found[1])
        steps += found[0]
    for i, u in enumerate(steps):  # each draw is like no other, and spread evenly
        assert abs(u.mean() - 0.5) < 0.03
        assert all(abs(np.corrcoef(u.ravel(), other.ravel())[0, 1]) < 0.1 for other in steps[:i])
        counts, _ = np.histogram(u, 10, (0, 1))
        assert counts.min() > 140
        assert counts.max() < 260


def test_only_deterministic_trainings_have_the_file(tmp_path: Path) -> None:
    for name in ("torch", "keras"):
        plain = print_project(program(tmp_path, NOISY), "Net", load_backend(name))
        counted = print_project(program(tmp_path, NOISY, "deterministic = true"), "Net", load_backend(name))
        assert {*counted} - {*plain} == {"draws.py"}
        assert "draws" not in plain["model.py"] + plain["train.py"]
        assert 'draws.Dropout(0.25, "Net.dropout1")' in counted["model.py"]
    quiet = NOISY.replace("-> Dropout(0.25)", "").replace("-> Dropout(0.5)", "")
    quiet = (
        quiet[: quiet.index("  noise")]
        + "  output logits = y -> Linear(10)\n}"
        + quiet[quiet.index("\ntrain") :]
    )
    files = print_project(program(tmp_path, quiet, "deterministic = true"), "Net", load_backend("torch"))
    assert "draws.py" not in files


def test_gradients_that_are_rounding_only_are_told() -> None:
    assert noise_of({"a": np.array([1.0]), "b": np.array([1e-15]), "c": np.array([0.0])}) == ["b"]

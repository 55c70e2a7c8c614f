"""`remat`: activations of a block are computed anew in the backward pass, and no number changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.diagnostics import SpecError
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project

SPEC = """
block Layer(d) {
  input x: f32[N, T, d]
  output y = x + (x -> Linear(4 * d) -> gelu INSIDE -> Linear(d)) AFTER
}
model Net {
  input x: f32[N, 8, 16]
  layer = Layer(16)  # is used twice, and other numbers are drawn after it
  output logits = x -> repeat(2) { Layer(16) } -> layer -> layer -> Dropout(0.5) -> flatten -> Linear(4)
}
data Rows {
  source  = csv("rows.csv")
  columns = { x: f32[8, 16], label: i64 }
}
train Net on Rows {
  loss      = cross_entropy(logits, label)
  optimizer = Adam(lr = 1e-2)
  SETTINGS
}
"""
RNG = np.random.default_rng(0)
BATCH = {"x": RNG.random((16, 8, 16), "float32"), "label": np.arange(16) % 4}


def files(backend: str, settings: str, inside: str = "", after: str = "") -> dict[str, str]:
    program = loads(
        SPEC.replace("SETTINGS", settings).replace("INSIDE", inside).replace("AFTER", after)
    ).program
    return print_project(program, "Net", load_backend(backend))


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_is_printed_where_asked(backend: str) -> None:
    call = {
        "torch": "partial(checkpoint, module.forward, use_reentrant=False)",
        "keras": "keras.remat(layer.call)",
    }
    with_it, without = (
        "".join(files(backend, settings)["train.py"].split()) for settings in ("remat = [Layer]", "")
    )
    assert "".join(call[backend].split()) in with_it.replace(",use_reentrant=False,", ",use_reentrant=False")
    assert "checkpoint" not in without
    assert backend == "torch" or "tf.control_dependencies" in with_it
    assert "remat" not in without


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize(
    ("inside", "others"),
    [
        ("", ""),
        ("-> Dropout(0.5)", ""),
        ("-> Dropout(0.5)", "accumulate = 2 batch_size = 8"),
        ("-> Dropout(0.5)", "accumulate = 2 batch_size = 8 deterministic = true"),
        ("-> Dropout(0.5)", "deterministic = true precision = bf16"),
    ],
)
def test_the_trajectory_is_the_same(backend: str, inside: str, others: str) -> None:
    pytest.importorskip(backend)
    found = []
    for settings in ("", "remat = [Layer]"):
        _same_seed(backend)
        after = "* uniform([N, T, d])" if "deterministic" in others else ""
        printed = files(backend, f"{settings} {others}", inside, after)
        learner = load_project(printed).new_training()
        found.append(_three_steps(learner, backend))
    assert found[0] == found[1]


def _three_steps(learner: Any, backend: str) -> list[float]:
    rng = np.random.default_rng(1)
    if backend == "torch":
        import torch

        with torch.no_grad():
            for weight in learner.parameters():
                weight.copy_(torch.from_numpy(rng.normal(0, 0.1, tuple(weight.shape))))
    else:
        learner.model(BATCH["x"])
        learner.model.set_weights([rng.normal(0, 0.1, w.shape) for w in learner.model.weights])
    batch = learner.tensors(BATCH) if backend == "torch" else BATCH
    return [float(learner.train_step(batch)["loss"]) for _ in range(3)]


def _same_seed(backend: str) -> None:
    if backend == "torch":
        import torch

        torch.manual_seed(0)
    else:
        import keras

        keras.utils.set_random_seed(0)


@pytest.mark.parametrize(
    ("code", "settings", "after"),
    [
        ("DLS0505", "remat = [Other]", ""),
        ("DLS0505", "remat = true", ""),
        ("DLS0505", "remat = [Net]", ""),
        ("DLS0509", "remat = [Layer]", "* uniform([N, T, d])"),
        ("DLS0509", "remat = [Layer]  deterministic = true", "-> BatchNorm"),
    ],
)
def test_what_cannot_be_is_refused(code: str, settings: str, after: str) -> None:
    with pytest.raises(SpecError) as error:
        files("torch", settings, after=after)
    assert error.value.diagnostics[0].code == code

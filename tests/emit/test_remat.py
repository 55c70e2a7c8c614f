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
  output y = x + (x -> Linear(4 * d) -> gelu INSIDE -> Linear(d))
}
model Net {
  input x: f32[N, 8, 16]
  output logits = x -> repeat(3) { Layer(16) } -> flatten -> Linear(4)
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


def files(backend: str, settings: str, inside: str = "") -> dict[str, str]:
    program = loads(SPEC.replace("SETTINGS", settings).replace("INSIDE", inside)).program
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
def test_the_trajectory_is_the_same(backend: str) -> None:
    pytest.importorskip(backend)
    found = []
    for settings in ("", "remat = [Layer]"):
        learner = load_project(files(backend, settings)).new_training()
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


@pytest.mark.parametrize(
    ("code", "settings", "inside"),
    [
        ("DLS0505", "remat = [Other]", ""),
        ("DLS0505", "remat = true", ""),
        ("DLS0505", "remat = [Net]", ""),
        ("DLS0509", "remat = [Layer]", "-> Dropout(0.1)"),
    ],
)
def test_what_cannot_be_is_refused(code: str, settings: str, inside: str) -> None:
    with pytest.raises(SpecError) as error:
        files("torch", settings, inside)
    assert error.value.diagnostics[0].code == code

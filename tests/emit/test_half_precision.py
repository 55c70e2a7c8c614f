"""`fp16` scales losses; what bounds and adds up gradients sees them as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from dlspec.api import loads
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project

pytestmark = pytest.mark.slow

SPEC = """
model Net {
  input x: f32[N, 8]
  output logits = x -> Linear(4)
}
data Rows {
  source  = csv("rows.csv")
  columns = { x: f32[8], label: i64 }
}
train Net on Rows {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 0.5)
  SETTINGS
}
"""
CLIPS = ("", "clip = { norm: 0.1 }", "clip = { value: 0.01 }")
BATCHES = ("batch_size = 16", "batch_size = 8\n accumulate = 2")
X = np.random.default_rng(0).random((16, 8), "float32")
BATCH = {"x": X, "label": np.arange(16) % 4}


@pytest.mark.parametrize("batches", BATCHES)
@pytest.mark.parametrize("clip", CLIPS)
def test_torch_moves_as_in_f32(clip: str, batches: str) -> None:
    torch = pytest.importorskip("torch")

    def step(precision: str, x: Any) -> Any:
        learner = load_project(_files("torch", clip, batches, precision)).new_training()
        if precision == "fp16":
            learner.scaler = torch.amp.GradScaler("cpu")
        weight, bias = learner.parameters()
        with torch.no_grad():
            weight.zero_()
            bias.zero_()
        learner.train_step({name: torch.from_numpy(a) for name, a in {**BATCH, "x": x}.items()})
        return weight.detach().numpy()

    _compare(step)


@pytest.mark.parametrize("batches", BATCHES)
@pytest.mark.parametrize("clip", CLIPS)
@pytest.mark.usefixtures("policy_after")
def test_keras_moves_as_in_f32(clip: str, batches: str) -> None:
    keras = pytest.importorskip("keras")

    def step(precision: str, x: Any) -> Any:
        keras.config.set_dtype_policy("mixed_float16" if precision == "fp16" else "float32")
        learner = load_project(_files("keras", clip, batches, precision)).new_training()
        learner.model(BATCH["x"])
        learner.model.set_weights([np.zeros(w.shape) for w in learner.model.weights])
        learner.train_step({**BATCH, "x": x})
        return np.array(learner.model.get_weights()[0]).T

    _compare(step)


def _compare(step: Any) -> None:
    """What f32 does; and nothing, where gradients of the scaled loss are beyond what fp16 holds."""
    np.testing.assert_allclose(step("fp16", X), step("f32", X), rtol=4e-3, atol=1e-4)
    assert np.abs(step("f32", 60000 * X)).max() > 0
    assert not step("fp16", 60000 * X).any()


def _files(backend: str, clip: str, batches: str, precision: str) -> dict[str, str]:
    spec = SPEC.replace("SETTINGS", f"{clip}\n {batches}\n precision = {precision}")
    return print_project(loads(spec).program, "Net", load_backend(backend))


@pytest.fixture
def policy_after() -> Iterator[None]:
    """Keras' own policy comes back."""
    import keras

    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)

"""`fp16` scales losses; what bounds and adds up gradients sees them as they are. Losses and metrics stay f32."""

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


SHARES = """
model Net {
  input x: f32[N, 8]
  output logits = x -> Linear(4)
}
data Rows {
  source  = csv("rows.csv")
  columns = { x: f32[8], shares: f32[4] }
}
train Net on Rows {
  loss      = mean(-shares * log_softmax(logits)) + mean(shares @ transpose(shares))
  optimizer = SGD(lr = 0.5)
  metrics   = { products: total(sum(shares @ transpose(shares))) }
  precision = bf16
}
"""


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.usefixtures("policy_after")
def test_losses_and_metrics_are_of_full_precision(backend: str) -> None:
    """Columns that only the loss reads are as they were, and so are its products of matrices."""
    if backend == "keras":
        pytest.importorskip("keras").config.set_dtype_policy("mixed_bfloat16")
    files = print_project(loads(SHARES).program, "Net", load_backend(backend))
    project = load_project(files)
    learner = project.new_training()
    shares = np.random.default_rng(1).random((16, 4), "float32")
    batch: dict[str, Any] = {"x": 0 * X, "shares": shares}
    wanted = (shares @ shares.T).mean() + np.log(4) * shares.mean()
    if backend == "keras":
        learner.model(batch["x"])
        learner.model.set_weights([np.zeros(w.shape) for w in learner.model.weights])
    else:
        for weight in learner.parameters():
            weight.detach().zero_()
        batch = learner.tensors(batch)
    np.testing.assert_allclose(learner.train_step(batch)["loss"], wanted, rtol=1e-6)
    found = learner.evaluate({"x": 0 * X, "shares": shares})
    np.testing.assert_allclose(found["products"], (shares @ shares.T).sum(), rtol=1e-6)


MIXED = """
block shifted {
  input x
  input y
  output x + y
}
block Rows {
  input x
  places = cast(arange(8), f32)
  output y = shifted(x -> Linear(8), places / 8) * ones([8])
}
model Net {
  input x: f32[N, 8]
  noise = 0.1 * normal([N, 8])
  output logits = (x + noise) -> Rows -> Linear(4)
}
data Rows_ {
  source  = csv("rows.csv")
  columns = { x: f32[8], label: i64 }
}
train Net on Rows_ {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 0.5)
  precision = bf16
  DRAWN
}
"""


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("drawn", ["", "deterministic = true"])
@pytest.mark.usefixtures("policy_after")
def test_what_models_make_meets_what_layers_give(backend: str, drawn: str) -> None:
    """Numbers of places, tables and noise are f32, and what layers give is not: both frameworks add them up."""
    if backend == "keras":
        pytest.importorskip("keras").config.set_dtype_policy("mixed_bfloat16")
    program = loads(MIXED.replace("DRAWN", drawn)).program
    learner = load_project(print_project(program, "Net", load_backend(backend))).new_training()
    losses = learner.train_step(learner.tensors(BATCH) if backend == "torch" else BATCH)
    assert 0.1 < losses["loss"] < 100


@pytest.fixture
def policy_after() -> Iterator[None]:
    """Keras' own policy comes back."""
    import keras

    before = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(before)

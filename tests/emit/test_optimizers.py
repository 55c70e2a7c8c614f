"""Every optimizer moves weights on every backend as its definition says."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.code import Code
from dlspec.emit.manifest import load_backend
from dlspec.emit.optimizers import Weights, print_optimizer
from dlspec.ops.optimizers import Optimizer, optimizers

CASES = [(cls, fields) for cls in optimizers().values() for fields in cls.examples]
STEPS = 20
TOLERANCE = {"float64": 1e-12, "float32": 2e-6}
AMPLIFIED = {"Muon": 100}
"""Newton-Schulz iterations raise small singular values, and with them rounding."""


def gradients() -> list[np.ndarray]:
    """One gradient a step; some are tiny, where the place of epsilon matters most."""
    rng = np.random.default_rng(0)
    scale = np.array([1.0, 1e-2, 1e-4, 1e-7])
    return [rng.standard_normal((3, 4)) * scale for _ in range(STEPS)]


def expected(spec: Optimizer, start: np.ndarray) -> np.ndarray:
    weight, state = start, spec.init_state(start)
    for step, gradient in enumerate(gradients()):
        weight = spec.update(weight, gradient, state, step)
    return weight


@pytest.mark.slow
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("cls", "fields"), CASES, ids=lambda value: getattr(value, "__name__", str(value)))
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_same_steps(backend: str, cls: type[Optimizer], fields: dict[str, Any], dtype: str) -> None:
    spec = cls(**fields)
    start = np.linspace(-1, 1, 12).reshape(3, 4)
    made = print_optimizer(load_backend(backend), spec, "[parameter]")
    run = {"torch": run_torch, "keras": run_keras}[backend]
    result = run(made.expression, "\n\n".join(made.helpers.values()), start.astype(dtype))
    wanted = expected(spec, start)
    assert result.dtype == dtype
    limit = TOLERANCE[dtype] * AMPLIFIED.get(cls.__name__, 1)
    assert np.abs(result - wanted).max() <= limit * np.abs(wanted).max()


def run_torch(expression: Code, helpers: str, start: np.ndarray) -> np.ndarray:
    import torch
    from torch import nn

    parameter = nn.Parameter(torch.from_numpy(start.copy()))
    names: dict[str, Any] = {
        "torch": torch,
        "nn": nn,
        "Iterable": Iterable,
        "Any": Any,
        "parameter": parameter,
    }
    exec("from __future__ import annotations\n" + helpers, names)
    optimizer = eval(expression, names)
    before = torch.get_default_dtype()
    torch.set_default_dtype(parameter.dtype)  # of what NAdam counts
    try:
        for gradient in gradients():
            parameter.grad = torch.from_numpy(gradient.astype(start.dtype))
            optimizer.step()
    finally:
        torch.set_default_dtype(before)
    return parameter.detach().numpy()


def run_keras(expression: Code, helpers: str, start: np.ndarray, sparse: bool = False) -> np.ndarray:
    import keras
    import tensorflow as tf
    from keras import ops

    before = keras.config.floatx()
    keras.config.set_floatx(str(start.dtype))
    try:
        names: dict[str, Any] = {"keras": keras, "tf": tf, "ops": ops, "math": math}
        exec("from __future__ import annotations\n" + helpers, names)
        optimizer = eval(expression, names)
        variable = keras.Variable(start, dtype=str(start.dtype), name="weight")
        optimizer.build([variable])
        step = tf.function(lambda gradient: optimizer.apply([gradient], [variable]))
        for gradient in gradients():
            given = tf.constant(gradient.astype(start.dtype))
            step(tf.IndexedSlices(given, tf.range(3), tf.constant([3, 4])) if sparse else given)
        return np.asarray(variable)
    finally:
        keras.config.set_floatx(before)


@pytest.mark.parametrize("cls", optimizers().values(), ids=lambda cls: cls.__name__)
def test_gradients_of_embeddings_in_keras(cls: type[Optimizer]) -> None:
    """TensorFlow gives them as the rows that there are: the same steps."""
    pytest.importorskip("tensorflow")
    made = print_optimizer(load_backend("keras"), cls(lr=1e-2), "", Weights(rows=True))
    helpers, start = "\n\n".join(made.helpers.values()), np.linspace(-1, 1, 12).reshape(3, 4)
    dense, sparse = (run_keras(made.expression, helpers, start, sparse=sparse) for sparse in (False, True))
    np.testing.assert_allclose(sparse, dense, rtol=1e-12)


def test_defaults_are_left_out() -> None:
    adam = optimizers()["Adam"]
    made = print_optimizer(load_backend("torch"), adam(), "model.parameters()")
    assert made.expression == "torch.optim.Adam(model.parameters(), lr=0.001, fused=True)"
    made = print_optimizer(load_backend("keras"), adam(betas=(0.5, 0.9)), "")
    assert made.expression == "Adam(0.001, betas=(0.5, 0.9))"
    assert list(made.helpers) == ["adam"]


def test_weight_decay_is_printed_where_it_is_used() -> None:
    """Also in the class that several optimizers of a file share."""
    adam, keras = optimizers()["Adam"], load_backend("keras")
    assert "decay" not in print_optimizer(keras, adam(), "").helpers["adam"]
    damped = print_optimizer(keras, adam(weight_decay=0.1), "").helpers["adam"]
    assert "self.decay * variable" in damped
    told = Weights(decaying={"Adam"})
    assert print_optimizer(keras, adam(), "", told).helpers["adam"] == damped


def test_unknown_optimizer() -> None:
    class Tiger(Optimizer):
        pass

    with pytest.raises(SpecError, match="cannot train with `Tiger`"):
        print_optimizer(load_backend("torch"), Tiger(lr=0.1), "")

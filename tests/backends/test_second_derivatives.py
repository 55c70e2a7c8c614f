"""A loss may take a gradient (`grad`), and training differentiates that once more: both frameworks come to the same.

For every example of every operator, in training mode and in f64: the gradient of weighted squares of a gradient, as
errors in a direction that all gradients avoid would not be seen without weights. This file runs itself, as double
precision is a setting of the whole process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dlspec.emit.manifest import Backend, differentiable_twice, load_backend
from dlspec.emit.onnx import in_double
from dlspec.emit.python import print_model
from dlspec.emit.weights import weight_map
from dlspec.ir.graph import Program
from tests.backends.test_keras_laws import NO_DOUBLE, ONCE, ROOT, program_of, wide
from tests.laws import Case

LIMIT = 1e-8
# Metrics and casts are f32 whatever they are given.
SINGLE = {"cast": 1e-6, "mean_absolute_error": 1e-6, "mean_squared_error": 1e-6}
# PyTorch knows no second derivative.
UNKNOWN = {"ctc_loss", "floordiv"}
BESIDE = {*UNKNOWN, *NO_DOUBLE, "Dropout"}  # whose masks are each framework's own
CASES = [
    case
    for case in ONCE
    if case.op.spec_name() not in BESIDE and any(kind is not None and kind.is_float for kind in case.types)
]


def printed(program: Program, backend: Backend) -> Any:
    space: dict[str, Any] = {"__name__": "printed"}
    text = print_model(program, "Law", in_double(differentiable_twice(backend)))
    exec(compile(text, "model.py", "exec"), space)
    return space["Law"]()


def weights_of(case: Case, program: Program, backend: Backend) -> tuple[dict[str, Any], Any]:
    """The weights by canonical name, in f64, and how the framework calls them."""
    paths = weight_map(program, "Law", backend)
    named = {path: path.removeprefix("layer").lstrip(".") or "value" for path, _, _ in paths}
    return {path: wide(case.weights[name]) for path, name in named.items()}, paths


def listed(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (tuple, list)) else [results]


def factors(shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    return [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]


def of_torch(case: Case, program: Program) -> list[np.ndarray | None]:
    """The second derivatives with respect to each input of floats; None where there is none."""
    import torch

    backend, model = load_backend("torch"), printed(program, load_backend("torch")).double().train()
    weights, paths = weights_of(case, program, backend)
    model.load_state_dict({native: torch.tensor(weights[path]) for path, native, _ in paths}, strict=False)
    inputs = [torch.tensor(wide(x), requires_grad=x.dtype.kind == "f") for x in case.inputs if x is not None]
    floats = [x for x in inputs if x.requires_grad]
    results = [r for r in listed(model(*inputs)) if r.requires_grad]
    if not results:
        return [None] * len(floats)
    made = zip(results, factors([tuple(r.shape) for r in results]), strict=True)
    total = sum((result * torch.tensor(factor)).sum() for result, factor in made)
    slopes = torch.autograd.grad(total, floats, create_graph=True, allow_unused=True)
    scales = factors([tuple(x.shape) for x in floats])
    squares = sum(
        (torch.tensor(w) * s**2).sum() for w, s in zip(scales, slopes, strict=True) if s is not None
    )
    if not squares.requires_grad:
        return [None] * len(floats)
    found = torch.autograd.grad(squares, floats, allow_unused=True)
    return [None if each is None else each.numpy(force=True) for each in found]


def of_keras(case: Case, program: Program) -> list[np.ndarray | None]:
    """The same."""
    import tensorflow as tf

    from tests.keras_weights import build, load

    backend, model = load_backend("keras"), printed(program, load_backend("keras"))
    inputs = [tf.constant(wide(x)) for x in case.inputs if x is not None]
    build(model, inputs)
    load(model, *weights_of(case, program, backend))
    floats = [x for x in inputs if x.dtype.is_floating]
    with tf.GradientTape() as outer:
        outer.watch(floats)
        with tf.GradientTape() as inner:
            inner.watch(floats)
            results = [r for r in listed(model(*inputs, training=True)) if r.dtype.is_floating]
            made = zip(results, factors([tuple(r.shape) for r in results]), strict=True)
            total = sum((tf.reduce_sum(result * factor) for result, factor in made), tf.zeros((), "float64"))
        slopes = inner.gradient(total, floats)
        scaled = [
            tf.reduce_sum(w * tf.convert_to_tensor(s) ** 2)
            for w, s in zip(factors([tuple(x.shape) for x in floats]), slopes, strict=True)
            if s is not None
        ]
        squares = sum(scaled, tf.zeros((), "float64"))
    found = outer.gradient(squares, floats)
    return [None if each is None else tf.convert_to_tensor(each).numpy() for each in found]


def complaint(case: Case) -> str:
    """What is different, empty if nothing."""
    program = program_of(case)
    limit = SINGLE.get(case.op.spec_name(), LIMIT)
    for one, other in zip(of_torch(case, program), of_keras(case, program), strict=True):
        a, b = (np.zeros(1) if each is None else each for each in (one, other))
        error = np.abs(a - b).max(initial=0) / max(1e-6, np.abs(a).max(initial=0))
        if not error <= limit:
            return f"error {error:.1e}"
    return ""


@pytest.fixture(scope="module")
def complaints() -> dict[str, str]:
    for module in ("keras", "tensorflow", "torch"):
        pytest.importorskip(module)
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, __file__], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_frameworks_agree(case: Case, complaints: dict[str, str]) -> None:
    assert not complaints[case.id]


def main() -> None:
    """Print the complaints as JSON."""
    import keras
    import torch

    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    torch.set_default_dtype(torch.float64)
    found = {}
    for case in CASES:
        try:
            found[case.id] = complaint(case)
        except Exception as error:
            found[case.id] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()

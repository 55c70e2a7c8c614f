"""Printed Keras computes what the reference computes, for every example of every operator.

Double precision is a setting of the whole process, so each precision has its own: this file runs itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.emit.manifest import load_backend
from dlspec.emit.python import print_model
from dlspec.emit.weights import weight_map
from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program
from dlspec.runtime.interpreter import apply
from tests.laws import Case, cases

ROOT = Path(__file__).parents[2]
RANDOM = {"uniform", "normal", "bernoulli", "gumbel"}
TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
# Single-precision constants that TensorFlow hides; `verify` decomposes these operators in f64.
HIDDEN = {"gelu": 1e-7, "ctc_loss": 1e-6}
# TensorFlow on a CPU has no double-precision kernel.
NO_DOUBLE = {"MaxPool3d", "AvgPool3d"}
ONCE = [case for case in cases() if case.op.spec_name() not in RANDOM]


def test_verify_knows_what_hides_constants() -> None:
    assert set(load_backend("keras").options["double"]["without"]) == set(HIDDEN)


def program_of(case: Case) -> Program:
    """A model that applies one operator."""
    b = Builder("Law")
    handles = [None if kind is None else b.input(f"x{i}", kind) for i, kind in enumerate(case.types)]
    if not case.types:  # a Keras model takes at least one input
        b.input("unused", "f32[1]")
    results = b.add(case.op, handles, name="layer" if type(case.op).stateful else "")
    for i, result in enumerate(results):
        b.output(f"y{i}", result)
    return Program(graphs={"Law": b.build()}, models={"Law": "Law"})


def run(case: Case, text: str, program: Program) -> list[np.ndarray]:
    """The results of the printed model, after its weights went in and came out again."""
    from keras import config, ops

    from tests.keras_weights import build, load, save

    space: dict[str, Any] = {"__name__": "printed"}
    exec(compile(text, "model.py", "exec"), space)
    model = space["Law"]()
    given = [x for x in case.inputs if x is not None] or [np.zeros(1)]
    inputs = [ops.convert_to_tensor(x.astype(config.floatx()) if x.dtype.kind == "f" else x) for x in given]
    build(model, inputs)
    paths = weight_map(program, "Law", load_backend("keras"))
    weights = {path: case.weights[path.removeprefix("layer").lstrip(".") or "value"] for path, _, _ in paths}
    load(model, weights, paths)
    for path, array in save(model, paths).items():
        np.testing.assert_array_equal(array, weights[path])
    assert len(weights) == len(case.weights)
    assert model.count_params() == sum(w.size for w in case.weights.values())
    results = model(*inputs, training=False)
    return [ops.convert_to_numpy(r) for r in (results if isinstance(results, (tuple, list)) else (results,))]


def wide(array: Any) -> Any:
    return array.astype("float64") if array is not None and array.dtype.kind == "f" else array


def complaint(case: Case, dtype: str) -> str:
    """What is wrong with an operator; empty if nothing."""
    program = program_of(case)
    text = print_model(program, "Law", load_backend("keras"))
    results = run(case, text, program)
    inputs, weights = tuple(map(wide, case.inputs)), {k: wide(w) for k, w in case.weights.items()}
    limit = max(TOLERANCE[dtype], HIDDEN.get(case.op.spec_name(), 0))
    if dtype == "float32":
        wanted = apply(case.op, case.inputs, case.weights)
    else:
        wanted = apply(case.op, inputs, weights, double=True)
    for result, want in zip(results, map(np.asarray, wanted), strict=True):
        if result.shape != want.shape or result.dtype.kind != want.dtype.kind:
            return f"{result.dtype}{result.shape}, expected {want.dtype}{want.shape}\n{text}"
        if not want.size:
            continue
        if want.dtype.kind == "f":
            finite = np.isfinite(want)
            error = np.abs(result - want)[finite].max(initial=0) / max(
                np.abs(want[finite]).max(initial=0), 1e-30
            )
            if not error <= limit or (result != want)[~finite].any():
                return f"error {error}\n{text}"
        elif (result != want).any():
            return f"{result} != {want}\n{text}"
    return ""


@pytest.fixture(scope="module", params=["float32", "float64"])
def complaints(request: pytest.FixtureRequest) -> dict[str, str]:
    """The complaints about every case, from one process a precision."""
    pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    return in_process(request.param, "tensorflow")


def in_process(dtype: str, backend: str, *ids: str) -> dict[str, str]:
    """The complaints about the cases `ids` (none: all), found on this backend of Keras."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, __file__, dtype, *ids]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in ONCE])
def test_printed_keras_agrees_with_the_reference(case: Case, complaints: dict[str, str]) -> None:
    if case.op.spec_name() in NO_DOUBLE and "double" in complaints[case.id].lower():
        pytest.skip("TensorFlow has no double-precision kernel")
    assert not complaints[case.id], complaints[case.id]


def main(dtype: str, *ids: str) -> None:
    """Print the complaints as JSON: what the tests run in a process of its own."""
    import keras

    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    found = {}
    for case in ONCE:
        if not ids or case.id in ids or case.op.spec_name() in ids:
            try:
                found[case.id] = complaint(case, dtype)
            except Exception as error:
                found[case.id] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Models of the zoo as ONNX, in both precisions, against the interpreter."""

from __future__ import annotations

import numpy as np
import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.runtime import interpreter
from dlspec.runtime import onnx as runtime
from dlspec.runtime.verify.inputs import drawn_inputs
from dlspec.weights.draw import draw_weights
from dlspec.zoo import Entry, entries

# Models small enough to be run at full size in both precisions; `verify` compares all others in tests/test_specs.py.
GROUPS = ("survey", "foundations")
MODELS = [entry for entry in entries() if entry.group in GROUPS and not entry.fact.heavy]


@pytest.mark.checkout
@pytest.mark.parametrize("entry", MODELS, ids=str)
@pytest.mark.parametrize(("double", "tolerance"), [(False, 1e-5), (True, 1e-12)], ids=["f32", "f64"])
def test_the_same_numbers(entry: Entry, double: bool, tolerance: float) -> None:
    program, model = dlspec.load(entry.path).program, entry.model
    inputs = drawn_inputs(program, program.models[model], 0)
    weights = draw_weights(program, model, 0)
    made = runtime.to_model(print_onnx(program, model, load_backend("onnx"), double=double), weights)
    runtime.check(made)
    given = runtime.predict(runtime.session(made), inputs)
    wanted = interpreter.run(program, program.models[model], inputs, weights, double=double)
    for name, array in wanted.items():
        error = np.abs(given[name] - array).max() / np.abs(array).max()
        assert error <= tolerance, f"{model}.{name}: {error:.1e}"

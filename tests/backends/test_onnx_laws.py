"""Every operator's examples, printed as ONNX, checked by ONNX and run by its runtime, against the reference.

Once in single and once in double precision, where a wrong formula cannot hide behind rounding.
"""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program
from dlspec.runtime import onnx as runtime
from dlspec.runtime.interpreter import apply
from tests.laws import Case, cases

# Random values come from the step that feeds them; a deployed model draws nothing.
CASES = [
    pytest.param(case, id=case.id)
    for case in cases()
    if not getattr(type(case.op), "random", False) or type(case.op).__name__ == "Dropout"
]


def program_of(case: Case) -> Program:
    """A model that is only this operator: inputs a0, a1, ..., results y0, y1, ..."""
    builder = Builder("Model")
    handles = [None if t is None else builder.input(f"a{i}", t) for i, t in enumerate(case.types)]
    results = builder.add(case.op, handles, name="op" if case.op.stateful else "")
    for i, result in enumerate(results):
        builder.output(f"y{i}", result)
    return Program(graphs={"Model": builder.build()}, models={"Model": "Model"})


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("double", "tolerance"), [(False, 1e-5), (True, 1e-12)], ids=["f32", "f64"])
def test_onnx_runtime_computes_the_reference(case: Case, double: bool, tolerance: float) -> None:
    """The tolerance is a part of the result's largest magnitude."""
    program = program_of(case)
    (node,) = program.model("Model").nodes
    weights = {path: case.weights[local] for local, path in node.weights.items()}
    text = print_onnx(program, "Model", load_backend("onnx"), double=double)
    model = runtime.to_model(text, weights)
    runtime.check(model)
    feeds = {f"a{i}": array for i, array in enumerate(case.inputs) if array is not None}
    results = runtime.predict(runtime.session(model, threads=1), feeds)
    for i, wanted in enumerate(apply(case.op, case.inputs, case.weights, double=double)):
        given, wanted = results[f"y{i}"], np.asarray(wanted)
        assert given.shape == wanted.shape
        assert given.dtype.kind == wanted.dtype.kind
        scale = np.abs(wanted.astype(np.float64)).max(initial=1e-30)
        error = np.abs(given.astype(np.float64) - wanted.astype(np.float64)).max(initial=0)
        assert error <= tolerance * scale, f"{error / scale:.1e}\n{text}"

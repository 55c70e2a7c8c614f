"""Printed PyTorch computes what the reference computes, for every example of every operator."""

from __future__ import annotations

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

torch = pytest.importorskip("torch")

RANDOM = {"uniform", "normal", "bernoulli", "gumbel"}
TOLERANCE = {"float32": 1e-5, "float64": 1e-10}
# PyTorch's softplus is linear above 20, which leaves 2e-9.
LOOSE = {"softplus": 1e-8, "bce_with_logits": 1e-8, "mean_absolute_error": 1e-6, "mean_squared_error": 1e-6}


def program_of(case: Case, dtype: str) -> Program:
    """A model that applies one operator, in f32 or f64."""
    b = Builder("Law")
    op = case.op
    if getattr(op, "dtype", None) == "f32" and dtype == "float64":
        op = op.model_copy(update={"dtype": "f64"})
    handles = []
    for i, kind in enumerate(case.types):
        if kind is not None and kind.is_float and dtype == "float64":
            kind = kind.with_dtype("f64")
        handles.append(None if kind is None else b.input(f"x{i}", kind))
    results = b.add(op, handles, name="layer" if type(op).stateful else "")
    for i, result in enumerate(results):
        b.output(f"y{i}", result)
    return Program(graphs={"Law": b.build()}, models={"Law": "Law"})


def run(case: Case, text: str, program: Program, dtype: Any) -> list[np.ndarray]:
    """The results of the printed model."""
    torch.set_default_dtype(dtype)
    try:
        space: dict[str, Any] = {"__name__": "printed"}
        exec(compile(text, "model.py", "exec"), space)
        model = space["Law"]().eval()
        state = {
            native: torch.from_numpy(
                np.asarray(case.weights[path.removeprefix("layer").lstrip(".") or "value"])
            ).to(dtype)
            for path, native, _ in weight_map(program, "Law", load_backend("torch"))
        }
        missing, unexpected = model.load_state_dict(state, strict=False)
        assert not unexpected
        assert all("bias_hh" in name or "num_batches" in name for name in missing)
        inputs = [torch.from_numpy(np.asarray(x)) for x in case.inputs if x is not None]
        with torch.no_grad():
            results = model(*(x.to(dtype) if x.is_floating_point() else x for x in inputs))
    finally:
        torch.set_default_dtype(torch.float32)
    return [r.detach().numpy() for r in (results if isinstance(results, tuple) else (results,))]


def wide(array: Any) -> Any:
    return array.astype("float64") if array is not None and array.dtype.kind == "f" else array


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases()])
def test_printed_torch_agrees_with_the_reference(case: Case, dtype: str) -> None:
    program = program_of(case, dtype)
    text = print_model(program, "Law", load_backend("torch"))
    results = run(case, text, program, getattr(torch, dtype))
    inputs, weights = tuple(map(wide, case.inputs)), {k: wide(w) for k, w in case.weights.items()}
    name = case.op.spec_name()
    op = case.op.model_copy(update={"dtype": "f64"}) if getattr(case.op, "dtype", None) == "f32" else case.op
    for result, want in zip(results, apply(op, inputs, weights), strict=True):
        want = np.asarray(want)
        assert result.shape == want.shape
        assert result.dtype.kind == want.dtype.kind
        if name in RANDOM or not want.size:
            continue
        if want.dtype.kind != "f":
            assert (result == want).all()
            continue
        limit = max(TOLERANCE[dtype], LOOSE.get(name, 0)) * max(np.abs(want).max(), 1e-30)
        assert np.abs(result - want).max() <= limit, text

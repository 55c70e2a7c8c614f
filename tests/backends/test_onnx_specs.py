"""Every model of the specs as ONNX, in both precisions, against the interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.ir.dims import substitute, symbols
from dlspec.ir.graph import Program
from dlspec.ir.types import TensorType
from dlspec.ops.dtypes import numpy_dtype
from dlspec.runtime import interpreter
from dlspec.runtime import onnx as runtime
from dlspec.weights.draw import draw_weights

FOLDER = Path(__file__).parents[2] / "specs"
SPECS = sorted(FOLDER.rglob("*.dls"))


def models(path: Path) -> list[tuple[Program, str]]:
    program = dlspec.load(path).program
    return [(program, name) for name in program.models]


def drawn(kind: TensorType, rng: np.random.Generator) -> Any:
    """An input; symbols stand for 3, whole numbers are below 2."""
    shape = [int(substitute(dim, dict.fromkeys(symbols(dim), 3))) for dim in kind.shape]  # type: ignore[arg-type]
    values = rng.standard_normal(shape) if kind.is_float else rng.integers(0, 2, shape)
    return values.astype(numpy_dtype(kind.dtype))


@pytest.mark.checkout
@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
@pytest.mark.parametrize(("double", "tolerance"), [(False, 1e-5), (True, 1e-12)], ids=["f32", "f64"])
def test_the_same_numbers(path: Path, double: bool, tolerance: float) -> None:
    for program, model in models(path):
        rng = np.random.default_rng(0)
        inputs = {value.name: drawn(value.type, rng) for value in program.model(model).inputs}
        weights = draw_weights(program, model, 0)
        made = runtime.to_model(print_onnx(program, model, load_backend("onnx"), double=double), weights)
        runtime.check(made)
        given = runtime.predict(runtime.session(made), inputs)
        wanted = interpreter.run(program, program.models[model], inputs, weights, double=double)
        for name, array in wanted.items():
            error = np.abs(given[name] - array).max() / np.abs(array).max()
            assert error <= tolerance, f"{model}.{name}: {error:.1e}"

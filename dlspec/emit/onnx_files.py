"""The files of the ONNX backend: the model as text, and a small script that runs it."""

from __future__ import annotations

from typing import Any

from dlspec.emit.manifest import Backend
from dlspec.emit.onnx import OnnxText, print_onnx
from dlspec.ir.graph import Program, Value
from dlspec.ops.dtypes import NUMPY_NAMES


def print_onnx_files(program: Program, model: str, backend: Backend, **options: Any) -> dict[str, str]:
    """``model.onnxtxt`` and ``infer.py``; `options` as for `print_onnx`."""
    text = print_onnx(program, model, backend, **options)
    return {"model.onnxtxt": text.text, "infer.py": print_infer(model, text, backend)}


def print_infer(model: str, text: OnnxText, backend: Backend) -> str:
    """A script that runs ``model.onnx`` on arrays; it needs NumPy and ONNX Runtime only."""
    printed: str = backend.template("infer.py.jinja").render(
        model=model, inputs=[_shown(v) for v in text.inputs], outputs=[_shown(v) for v in text.outputs]
    )
    return printed


def _shown(value: Value) -> dict[str, str]:
    name = NUMPY_NAMES[value.type.dtype]
    return {
        "name": value.name,
        "dtype": name,
        "type": "bool_" if name == "bool" else name,
        "shape": ", ".join(map(str, value.type.shape)),
    }

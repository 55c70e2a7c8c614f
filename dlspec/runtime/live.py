"""Live models of each framework from printed code: what the Python API hands out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.emit.project import model_class, print_model_files
from dlspec.ir.graph import Program
from dlspec.runtime.project import load_project
from dlspec.weights.store import save_weights

Arrays = dict[str, Any]


def torch_module(program: Program, model: str, weights: Arrays) -> Any:
    """The model as a ``torch.nn.Module`` in evaluation mode."""
    return _live(program, model, weights, "torch").eval()


def keras_model(program: Program, model: str, weights: Arrays) -> Any:
    """The model as a built ``keras.Model``."""
    return _live(program, model, weights, "keras")


def _live(program: Program, model: str, weights: Arrays, backend: str) -> Any:
    chosen = load_backend(backend)
    project = load_project(print_model_files(program, model, chosen))
    made = getattr(project.model, model_class(program, model, chosen))()
    with tempfile.TemporaryDirectory(prefix="dlspec-") as folder:
        path = Path(folder) / "weights.safetensors"
        save_weights(path, weights)
        project.weights.load(made, path)
    return made


def onnx_model(program: Program, model: str, weights: Arrays) -> Any:
    """The model as a checked ``onnx.ModelProto``."""
    from dlspec.runtime.onnx import check, to_model

    made = to_model(print_onnx(program, model, load_backend("onnx")), weights)
    check(made)
    return made


def run_torch(program: Program, model: str, weights: Arrays, inputs: Sequence[Any]) -> list[Any]:
    """Outputs by PyTorch, as arrays."""
    return outputs_torch(torch_module(program, model, weights), inputs)


def outputs_torch(module: Any, inputs: Sequence[Any]) -> list[Any]:
    """Outputs of a live module, as arrays."""
    import torch

    with torch.inference_mode():
        result = module(*(torch.from_numpy(np.ascontiguousarray(i)) for i in inputs))
    return [r.numpy() for r in (result if isinstance(result, tuple) else (result,))]


def run_keras(program: Program, model: str, weights: Arrays, inputs: Sequence[Any]) -> list[Any]:
    """Outputs by Keras, as arrays."""
    return outputs_keras(keras_model(program, model, weights), inputs)


def outputs_keras(model: Any, inputs: Sequence[Any]) -> list[Any]:
    """Outputs of a live model, as arrays."""
    from keras import ops

    result = model(*inputs, training=False)
    return [ops.convert_to_numpy(r) for r in (result if isinstance(result, (tuple, list)) else (result,))]

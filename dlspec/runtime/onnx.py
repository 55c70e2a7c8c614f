"""ONNX models from their text and weights: built, written, checked, run. No framework but onnx and its runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.diagnostics import fail
from dlspec.emit.onnx import OnnxText, WeightPlace
from dlspec.weights.store import replacing

LIMIT = 1_500_000_000  # bytes of weights above which they are kept outside: protobuf ends at 2 GB
DTYPES = {
    "f32": "<f4", "f64": "<f8", "f16": "<f2", "i64": "<i8", "i32": "<i4", "i8": "i1", "u8": "u1", "bool": "?",
}  # fmt: skip


def to_model(text: OnnxText, weights: Mapping[str, Any]) -> Any:
    """The `ModelProto`, the weights inside it as raw bytes."""
    model = parse(text)
    places = {place.name: place for place in text.weights}
    for tensor in model.graph.initializer:
        if tensor.name in places:
            tensor.raw_data = _array(places[tensor.name], weights).tobytes()
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
    return model


def parse(text: OnnxText) -> Any:
    """The `ModelProto`, its weights only declared."""
    from onnx import parser

    return parser.parse_model(text.text)


def write_model(
    text: OnnxText, weights: Mapping[str, Any], path: str | Path, external: bool | None = None
) -> list[Path]:
    """Write ``model.onnx``; the files written. Above 1.5 GB (or with `external`) weights go to a second file.

    Files appear whole or not at all; weights are written one after another, never gathered in memory.
    """
    path = Path(path)
    size = sum(place.length for place in text.weights)
    if not (size > LIMIT if external is None else external):
        with replacing(path) as temporary:
            temporary.write_bytes(to_model(text, weights).SerializeToString())
        return [path]
    data = path.with_name(f"{path.stem}.weights")
    model = parse(text)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = data.name
    with replacing(data) as temporary, temporary.open("wb") as file:
        for place in text.weights:
            file.seek(place.offset)
            file.write(_array(place, weights).data)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString())
    return [path, data]


def check(model: Any) -> None:
    """Raise unless the model (or the file) is valid and ONNX infers exactly the types it declares."""
    import onnx

    if isinstance(model, (str, Path)):
        onnx.checker.check_model(str(model), full_check=True)
        model = onnx.load(str(model), load_external_data=False)
    else:
        onnx.checker.check_model(model, full_check=True)
    _check_types(_without_weights(model))


def check_graph(text: OnnxText) -> None:
    """As `check`, of a model whose weights are declared only: of any size, for nothing is allocated."""
    import onnx

    bare = _without_weights(parse(text))
    onnx.checker.check_model(bare, full_check=True)
    _check_types(bare)


def _check_types(bare: Any) -> None:
    """Raise unless ONNX infers the types that the outputs of a model without weights declare; forgets them."""
    import onnx

    declared = {value.name: _shape(value) for value in bare.graph.output}
    for value in bare.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    for value in inferred.graph.output:
        known = value.type.tensor_type.HasField("shape")  # not for operators that ONNX defines as functions
        if known and not _agree(declared[value.name], _shape(value)):
            raise fail(
                "DLS0712",
                f"ONNX gives `{value.name}` the shape {_shape(value)}, the spec {declared[value.name]}",
            )


def session(model: Any, threads: int | None = None) -> Any:
    """An `InferenceSession` on the CPU for a `ModelProto` or a file."""
    return _session(str(model) if isinstance(model, (str, Path)) else model.SerializeToString(), threads)


def open_session(text: OnnxText, weights: Mapping[str, Any], threads: int | None = None) -> Any:
    """An `InferenceSession` for a model of any size: the weights are handed over as they are, not serialised."""
    arrays = {place.name: _array(place, weights) for place in text.weights}
    return _session(parse(text).SerializeToString(), threads, arrays)


def _session(source: str | bytes, threads: int | None, weights: Mapping[str, Any] | None = None) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = threads
    if weights:
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in weights.values()]
        options.add_external_initializers(list(weights), values)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def predict(session: Any, inputs: Mapping[str, Any], names: Sequence[str] | None = None) -> dict[str, Any]:
    """The outputs by name (in order `names`, as the spec has them; else as the model does); inputs that the model
    does not have are left out, element types are adapted.
    """
    feeds = {
        value.name: np.asarray(inputs[value.name], dtype=_NUMPY.get(value.type), order="C")
        for value in session.get_inputs()
    }
    found = [value.name for value in session.get_outputs()]
    return dict(zip(names or found, session.run(found, feeds), strict=True))


_NUMPY = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16",
    "tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(int8)": "int8", "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}  # fmt: skip


def _array(place: WeightPlace, weights: Mapping[str, Any]) -> Any:
    if place.name not in weights:
        raise fail("DLS0710", f"weights are missing: `{place.name}`")
    array = np.asarray(weights[place.name], dtype=DTYPES[place.type.dtype], order="C")
    if array.shape != tuple(place.type.shape):
        raise fail("DLS0710", f"the weight `{place.name}` is {list(array.shape)}, not {place.type}")
    return array


def _without_weights(model: Any) -> Any:
    """The model with its weights as inputs: what shape inference needs, and no more."""
    import onnx

    graph = model.graph
    weights = [onnx.helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in graph.initializer]
    bare = onnx.helper.make_graph(graph.node, graph.name, [*graph.input, *weights], graph.output)
    return onnx.helper.make_model(bare, ir_version=model.ir_version, opset_imports=model.opset_import)


def _shape(value: Any) -> list[int | str]:
    kind = value.type.tensor_type
    return [dim.dim_value if dim.HasField("dim_value") else dim.dim_param for dim in kind.shape.dim]


def _agree(declared: list[int | str], inferred: list[int | str]) -> bool:
    """Equal where both are numbers; ONNX may not know what a symbolic size is."""
    return len(declared) == len(inferred) and all(
        a == b or isinstance(a, str) or isinstance(b, str) for a, b in zip(declared, inferred, strict=True)
    )

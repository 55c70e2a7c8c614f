"""Models as ONNX text: what is declared, what is safe, what is written, what is computed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import OnnxText, print_onnx
from dlspec.emit.onnx_files import print_onnx_files
from dlspec.emit.onnx_text import literal, quote, tensor_literal
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.dims import symbol
from dlspec.ir.graph import Graph, Program
from dlspec.runtime import interpreter
from dlspec.runtime import onnx as runtime
from dlspec.weights.draw import draw_weights

HOSTILE = [
    'a "quote"', "back\\slash", "\\", '"', "line\nbreak", "{{ 7 * 7 }} {% if x %}", "} > ]", "tab\t\r",
    "é 漢 \u2028 🙂", '"> main () => () { }', "nul\0nul", "\ud800",
]  # fmt: skip


def program(graph: Graph, **about: str) -> Program:
    return Program(graphs={"Net": graph}, models={"Net": "Net"}, **about)


def mlp(doc: str = "") -> Graph:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    h = b.relu(b.Linear(8, name="l1")(x))
    b.label(h, "h")
    b.output("logits", b.Linear(3, name="l2")(h))
    return b.build(doc=doc)


def printed(source: Program, **options: object) -> OnnxText:
    return print_onnx(source, "Net", load_backend("onnx"), **options)  # type: ignore[arg-type]


def agree(source: Program, inputs: dict[str, np.ndarray], tolerance: float = 1e-5, **options: object) -> None:
    """ONNX Runtime computes what the interpreter computes."""
    weights = draw_weights(source, "Net", 0)
    model = runtime.to_model(printed(source, **options), weights)
    runtime.check(model)
    given = runtime.predict(runtime.session(model), inputs)
    wanted = interpreter.run(source, "Net", inputs, weights, double=bool(options.get("double")))
    assert list(given) == list(wanted)
    for name, array in wanted.items():
        assert given[name].shape == array.shape
        np.testing.assert_allclose(
            given[name], array, rtol=0, atol=tolerance * max(np.abs(array).max(initial=0), 1e-30)
        )


def drawn(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def test_the_text_is_what_a_person_would_write() -> None:
    text = printed(program(mlp("Two layers."), source="mlp.dls"))
    assert text.text == (
        """<
  ir_version: 10,
  opset_import: ["": 21],
  producer_name: "dlspec",
  doc_string: "Two layers.",
  metadata_props: ["source": "mlp.dls"]
>
"Net" (float[N,4] "x") => (float[N,3] "logits")
<
  float[8,4] "l1.weight" = ["location": "model.weights", "offset": "0", "length": "128"],
  float[8] "l1.bias" = ["location": "model.weights", "offset": "128", "length": "32"],
  float[3,8] "l2.weight" = ["location": "model.weights", "offset": "192", "length": "96"],
  float[3] "l2.bias" = ["location": "model.weights", "offset": "320", "length": "12"]
>
{
  ["l1"] "l1" = Gemm <transB = 1> ("x", "l1.weight", "l1.bias")
  ["h"] "h" = Relu ("l1")
  ["l2"] "logits" = Gemm <transB = 1> ("h", "l2.weight", "l2.bias")
}
"""
    )
    agree(program(mlp()), {"x": drawn(5, 4)})


def test_opset_and_ir_version_are_settings() -> None:
    model = runtime.parse(printed(program(mlp()), opset=22, ir_version=11))
    assert (model.ir_version, model.opset_import[0].version) == (11, 22)


@pytest.mark.parametrize("opset", [13, 20, 28])
def test_an_opset_that_the_rows_are_not_for(opset: int) -> None:
    with pytest.raises(SpecError, match="21 to 27"):
        printed(program(mlp()), opset=opset)


@pytest.mark.parametrize("text", HOSTILE)
def test_strings_cannot_leave_their_place(text: str) -> None:
    expected = text.replace("\0", "\ufffd").replace("\ud800", "?")
    model = runtime.parse(printed(program(mlp(text), source=text)))
    assert model.graph.doc_string == "" or model.doc_string == expected
    assert model.doc_string == expected
    assert {p.key: p.value for p in model.metadata_props} == ({"source": expected} if text else {})
    assert len(model.graph.node) == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_names_cannot_leave_their_place(text: str) -> None:
    text = text.replace("\0", "").replace("\ud800", "")
    b = Builder("Net")
    x = b.input(text, "f32[2]")
    b.output(f"y{text}", b.relu(x))
    model = runtime.parse(printed(program(b.build())))
    assert [v.name for v in model.graph.input] == [text]
    assert [v.name for v in model.graph.output] == [f"y{text}"]
    assert model.graph.node[0].op_type == "Relu"


def test_literals() -> None:
    assert literal(("a", 'b"')) == '["a", "b\\""]'
    assert literal([True, 2, 1.0]) == "[1, 2, 1.0]"
    assert literal(quote("x")) == '"x"'
    assert tensor_literal([[1, 2]], "i64") == "int64[1,2] {1, 2}"
    assert tensor_literal(1.5, "f16") == "float16 {15872}"
    assert tensor_literal(1.5, "bf16") == "bfloat16 {16320}"
    assert tensor_literal(float("-inf"), "f32") == "float {-inf}"
    with pytest.raises(TypeError):
        literal(object())


def test_symbolic_sizes_are_named() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 2 * T, 3]")
    b.output("y", b.reshape(x, shape=(symbol("N"), symbol("T"), 6)))
    model = runtime.parse(printed(program(b.build())))
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dims] == ["N", "2 * T", 3]
    x = drawn(2, 4, 3)
    given = runtime.predict(runtime.session(model), {"x": x})
    np.testing.assert_array_equal(given["y"], x.reshape(2, 2, 6))


def _two_sizes(b: Builder, x: Handle) -> Handle:
    n, t = symbol("N"), symbol("T")
    return b.reshape(b.transpose(x, axes=(1, 0, 2)), shape=(t, n * 3))


def _computed(b: Builder, x: Handle) -> Handle:
    t = symbol("T")
    return b.arange(start=0, stop=(t - 1) // 2 + t * t % 3 + 1, dtype="f32")


def _averaged(b: Builder, x: Handle) -> Handle:
    return b.var(x, axis=1) + b.size(dim=symbol("T"))


def _sliced(b: Builder, x: Handle) -> Handle:
    return b.slice(x, index=((0, symbol("N"), 1), (1, symbol("T") - 1, 1)))


def _flipped(b: Builder, x: Handle) -> Handle:
    return b.flip(x, axis=1)


def _expanded(b: Builder, x: Handle) -> Handle:
    return b.expand(b.constant(2.0), shape=(symbol("T"), symbol("N")))


def _split_into_symbols(b: Builder, x: Handle) -> Handle:
    y = b.concat(x, x, axis=1)
    return b.split(y, sizes=(symbol("T"), symbol("T")), axis=1)[1]


@pytest.mark.parametrize(
    "make", [_two_sizes, _computed, _averaged, _sliced, _flipped, _expanded, _split_into_symbols]
)
@pytest.mark.parametrize("shape", [(2, 5, 3), (4, 7, 3), (1, 2, 3)])
def test_sizes_that_only_the_run_knows(make: object, shape: tuple[int, ...]) -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, T, 3]")
    b.output("y", make(b, x))  # type: ignore[operator]
    agree(program(b.build()), {"x": drawn(*shape)})


def test_a_size_that_no_input_has_is_an_error() -> None:
    b = Builder("Net")
    b.input("x", "f32[N]")
    b.output("y", b.arange(start=0, stop=symbol("M")))
    with pytest.raises(SpecError) as error:
        printed(program(b.build()))
    assert error.value.diagnostics[0].code == "DLS0703"


def test_results_that_are_inputs_or_weights_or_twice_the_same() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[2]")
    p = b.Parameter((2,), name="p")()
    y = b.relu(x)
    b.label(y, "x2")
    for name, value in (("same", x), ("weight", p), ("y", y), ("again", y)):
        b.output(name, value)
    agree(program(b.build()), {"x": drawn(2)})


def test_a_result_may_be_called_as_an_input() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    b.input("x_out", "f32[N, 4]")
    b.output("x", b.relu(x))
    source = program(b.build())
    assert [value.name for value in printed(source).outputs] == ["x_out_out"]
    session = runtime.session(runtime.to_model(printed(source), {}))
    given = np.array([[-1, 2, -3, 4]], "f4")
    found = runtime.predict(session, {"x": given, "x_out": given}, ["x"])
    np.testing.assert_array_equal(found["x"], np.maximum(given, 0))


def test_a_result_may_have_the_name_of_another_value() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[2]")
    y = b.relu(x)
    b.label(y, "y")
    b.output("out", y * 2.0)
    graph = b.build()
    renamed = graph.model_copy(update={"outputs": (graph.outputs[0].model_copy(update={"name": "y"}),)})
    agree(program(renamed), {"x": drawn(2)})


def test_shared_instances_print_with_names_of_their_own() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    shared = b.Linear(4, name="fc")
    b.output("y", shared(b.relu(shared(x))))
    agree(program(b.build()), {"x": drawn(2, 4)})
    lstm = Builder("Net")
    x = lstm.input("x", "f32[N, 3, 4]")
    both = lstm.LSTM(4, name="cell", layers=2, bidirectional=False)
    lstm.output("y", both(both(x)))
    agree(program(lstm.build()), {"x": drawn(2, 3, 4)})


def test_what_only_training_needs_is_not_printed() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    b.output("y", b.Dropout(0.5)(b.relu(b.stop_gradient(x))))
    (node,) = runtime.parse(printed(program(b.build()))).graph.node
    assert (node.op_type, list(node.input)) == ("Relu", ["x"])


def test_preparation_travels_with_the_model() -> None:
    b = Builder("Prepare")
    pixels, label = b.input("x", "u8[N, 4]"), b.input("label", "i64[N]")
    b.output("x", b.cast(pixels, dtype="f32") / 16.0)
    b.output("label", label + 1)
    source, prepare = program(mlp()), b.build()
    weights = draw_weights(source, "Net", 0)
    model = runtime.to_model(printed(source, prepare=prepare), weights)
    runtime.check(model)
    assert [v.name for v in model.graph.input] == ["x"]
    image = np.arange(8, dtype=np.uint8).reshape(2, 4)
    given = runtime.predict(runtime.session(model), {"x": image, "label": np.zeros(2)})
    plain = runtime.session(runtime.to_model(printed(source), weights))
    np.testing.assert_array_equal(given["logits"], runtime.predict(plain, {"x": image / 16})["logits"])


def test_double_precision_has_no_single_left() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 2, 6, 5]")
    y = b.relu(b.BatchNorm()(b.Conv2d(4, 3, stride=2, padding=1, groups=2)(x))) / 3.0
    y = b.flatten(b.AvgPool2d(2)(y))
    b.output("y", b.gelu(b.LayerNorm()(b.Linear(6)(y)), approximate=True))
    source = program(b.build())
    text = printed(source, double=True)
    assert "float" not in text.text
    agree(source, {"x": drawn(2, 2, 6, 5)}, 1e-12, double=True)


def test_weights_in_a_file_of_their_own(tmp_path: Path) -> None:
    source = program(mlp())
    weights, text = draw_weights(source, "Net", 0), printed(source)
    inside = runtime.write_model(text, weights, tmp_path / "in.onnx")
    outside = runtime.write_model(text, weights, tmp_path / "out.onnx", external=True)
    assert [p.name for p in (*inside, *outside)] == ["in.onnx", "out.onnx", "out.weights"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.onnx", "out.onnx", "out.weights"]
    x = drawn(3, 4)
    results = []
    for path in (tmp_path / "in.onnx", tmp_path / "out.onnx"):
        runtime.check(path)
        results.append(runtime.predict(runtime.session(path), {"x": x})["logits"])
        loaded = {
            t.name: onnx.numpy_helper.to_array(t, str(tmp_path)) for t in onnx.load(path).graph.initializer
        }
        assert set(loaded) == set(weights)
        for name, array in weights.items():
            np.testing.assert_array_equal(loaded[name], array)
    np.testing.assert_array_equal(*results)


def test_a_session_takes_weights_as_they_are() -> None:
    source, x = program(mlp()), drawn(3, 4)
    weights, text = draw_weights(source, "Net", 0), printed(source)
    direct = runtime.predict(runtime.open_session(text, weights), {"x": x})
    plain = runtime.predict(runtime.session(runtime.to_model(text, weights)), {"x": x})
    np.testing.assert_array_equal(direct["logits"], plain["logits"])


def test_weights_that_do_not_fit() -> None:
    text = printed(program(mlp()))
    weights = draw_weights(program(mlp()), "Net", 0)
    with pytest.raises(SpecError, match=r"l1\.bias"):
        runtime.to_model(text, {**weights, "l1.bias": np.zeros(3, dtype=np.float32)})
    del weights["l2.weight"]
    with pytest.raises(SpecError, match=r"l2\.weight"):
        runtime.to_model(text, weights)


def test_a_wrong_declaration_is_found() -> None:
    model = runtime.to_model(printed(program(mlp())), draw_weights(program(mlp()), "Net", 0))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    with pytest.raises((SpecError, onnx.shape_inference.InferenceError)):
        runtime.check(model)


def test_the_printed_script_runs_alone(tmp_path: Path) -> None:
    source = program(mlp())
    weights = draw_weights(source, "Net", 0)
    files = print_onnx_files(source, "Net", load_backend("onnx"))
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert "dlspec" not in files["infer.py"]
    runtime.write_model(printed(source), weights, tmp_path / "model.onnx")
    x = drawn(2, 4)
    np.save(tmp_path / "x.npy", x)
    command = [sys.executable, "-P", "infer.py", "x.npy", "y.npz"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("logits: float32 [2, 3]")
    wanted = interpreter.run(source, "Net", {"x": x}, weights)["logits"]
    np.testing.assert_allclose(np.load(tmp_path / "y.npz")["logits"], wanted, atol=1e-6)
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", "infer.py"]
        assert subprocess.run(ruff, cwd=tmp_path, check=False).returncode == 0

"""From text to typed graphs: names, sharing, blocks, repeats, symbols, compile-time values."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlspec
from dlspec.diagnostics import SpecError
from dlspec.ir.dims import symbol
from dlspec.ir.graph import Call, Graph, Program
from dlspec.ir.op import INIT_DEFAULTS
from dlspec.summary import summarize


def program(text: str, **settings: str) -> Program:
    return dlspec.loads(text, settings).program


def model(body: str, name: str = "Net", head: str = "") -> Graph:
    return program(f"{head}\nmodel {name} {{\n  input x: f32[N, 8]\n{body}\n}}").model(name)


def operators(graph: Graph) -> list[str]:
    return [node.op.spec_name() for node in graph.nodes]


def codes(text: str, **settings: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        program(text, **settings)
    return [d.code for d in caught.value.diagnostics]


def test_pipe_makes_nodes_in_order() -> None:
    graph = model("  output y = x -> Linear(4) -> relu")
    assert operators(graph) == ["Linear", "relu"]
    assert str(graph.types["y"]) == "f32[N, 4]"


def test_names_of_instances() -> None:
    graph = model("  stem = Linear(4)\n  output x -> stem -> Linear(5) -> Linear(6) -> LayerNorm")
    assert [n.name for n in graph.nodes] == ["stem", "linear1", "linear2", "norm"]


def test_sharing_is_naming() -> None:
    graph = model("  f = Linear(8)\n  output f(f(x)) + (x -> Linear(8))")
    assert [w.name for w in graph.weights] == ["f.weight", "f.bias", "linear.weight", "linear.bias"]


def test_tied_weight_is_the_tensor_itself() -> None:
    graph = model("  f = Linear(8)\n  h = f(x)\n  output h @ transpose(f.weight)")
    assert "f.weight" in graph.nodes[1].inputs


def test_raw_weight_is_called_by_its_name() -> None:
    graph = model("  scale = Parameter([8])\n  output x * scale")
    assert [w.name for w in graph.weights] == ["scale"]


def test_equal_uses_of_a_block_share_a_graph() -> None:
    text = """
    block B(width) { input x: [N, D]   output x -> Linear(width) -> relu }
    model Net { input x: f32[N, 8]   output x -> B(8) -> B(8) -> B(4) }
    """
    made = program(text)
    assert [n.op.graph for n in made.model("Net").nodes if isinstance(n.op, Call)] == ["B", "B", "B#2"]
    assert [n.name for n in made.model("Net").nodes] == ["b1", "b2", "b3"]


def test_argument_remembers_the_parameter_it_came_from() -> None:
    text = "block B(width) { input x: [N, D]   output x -> Linear(width) }\n"
    made = program(text + "model Net { input x: f32[N, 8]   output x -> B(4) }")
    assert made.graphs["B"].nodes[0].sources == {"out_features": symbol("width")}
    assert made.graphs["B"].params == {"width": 4}


def test_a_symbol_of_a_block_is_its_size() -> None:
    text = "block B { input x: [N, T, D]   output x -> Linear(4 * D) -> Linear(D) }\n"
    made = program(text + "model Net { input x: f32[N, T, 6]   output x -> B }")
    assert [str(made.graphs["B"].types[n.output]) for n in made.graphs["B"].nodes] == [
        "f32[N, T, 24]",
        "f32[N, T, 6]",
    ]


def test_repeat_is_one_call() -> None:
    made = program("model Net { input x: f32[N, 8]   output x -> repeat 12 { Linear(8) -> relu } }")
    (node,) = made.model("Net").nodes
    assert isinstance(node.op, Call)
    assert node.op.repeat == 12
    assert summarize(made, "Net").parameters == 12 * 72
    paths = [w.name for w in made.all_weights("Net")]
    assert len(paths) == 24
    assert paths[0] == "layers.0.linear.weight"


def test_repeat_of_a_block_is_the_block_itself() -> None:
    text = "block B { input x: [N, D]   output x -> Linear(D) }\n"
    for stage in ("repeat 3 { B }", "B * 3"):
        (node,) = (
            program(text + f"model Net {{ input x: f32[N, 8]   output x -> {stage} }}").model("Net").nodes
        )
        assert isinstance(node.op, Call)
        assert (node.op.graph, node.op.repeat, node.name) == ("B", 3, "bs")


def test_repeat_statement_carries_what_it_rebinds() -> None:
    graph = model("  y = x\n  repeat 2 { y = (y -> Linear(8)) + x }\n  output y")
    (node,) = graph.nodes
    assert isinstance(node.op, Call)
    assert node.op.carried == 1
    assert node.inputs == ("x", "x")


def test_for_unrolls_and_shares() -> None:
    graph = model("  f = Linear(8)\n  y = x\n  for i in 0..3 { y = f(y) }\n  output y")
    assert len(graph.nodes) == 3
    assert len(graph.weights) == 2


def test_an_input_with_a_default_may_be_left_out() -> None:
    head = """
block Masked {
  input x: [N, D]
  input other: [N, E] = x
  input mask: [N, D] = none
  output if mask == none then x + other else where(mask, x, other)
}"""
    body = """
  input mask: bool[N, 8]
  y = x -> Masked -> Masked(mask = mask)
  masked = Masked
  output y = masked(x, y)"""
    found = program(f"{head}\nmodel Net {{\n  input x: f32[N, 8]{body}\n}}")
    uses = [node.inputs for node in found.model("Net").nodes]
    assert [len(inputs) for inputs in uses] == [1, 2, 2]
    assert [operators(found.graphs[key]) for key in ("Masked", "Masked#2", "Masked#3")] == [
        ["add"],
        ["where"],
        ["add"],
    ]
    assert found.graphs["Masked"].nodes[0].inputs == ("x", "x")


def test_if_chooses_at_compile_time() -> None:
    text = "block B(deep) { input x: [N, D]   y = if deep then x -> Linear(D) else x   output y -> relu }\n"
    made = program(text + "model Net { input x: f32[N, 8]   output x -> B(true) -> B(false) }")
    assert operators(made.graphs["B"]) == ["Linear", "relu"]
    assert operators(made.graphs["B#2"]) == ["relu"]


def test_compile_time_arithmetic() -> None:
    head = "let width = 2 ** 3 + 10 % 4\nlet sizes = [width, width * 2]"
    graph = model("  output x -> Linear(sizes[1] // 3) -> Linear(if width > 5 then 1 else 2)", head=head)
    assert [str(graph.types[n.output]) for n in graph.nodes] == ["f32[N, 6]", "f32[N, 1]"]


def test_scalars_take_the_type_of_the_tensor() -> None:
    graph = model("  output 2 * x + 1")
    assert str(graph.types[graph.outputs[0].value]) == "f32[N, 8]"


def test_slices_and_attributes() -> None:
    graph = model("  output reshape(x[:, 2:6], [x.shape[0], 2, 2])")
    assert str(graph.types[graph.outputs[0].value]) == "f32[N, 2, 2]"


def test_settings_override_lets_and_parameters() -> None:
    text = "let width = 4\nmodel Net(classes = 3) { input x: f32[N, 8]  output x -> Linear(width) -> Linear(classes) }"
    made = program(text, **{"width": "2 * 8", "Net.classes": "5"})
    assert made.model("Net").params == {"classes": 5}
    assert str(made.model("Net").types["%3"]) == "f32[N, 16]"
    assert codes(text, widht="3") == ["DLS0803"]


def test_program_survives_json() -> None:
    made = dlspec.load("specs/survey/cnn.dls").program
    assert Program.model_validate_json(made.model_dump_json()) == made


def test_several_players_elaborate() -> None:
    made = program("""
    model Generator { input z: f32[N, 4]   output x = z -> Linear(8) }
    model Discriminator { input x: f32[N, 8]   output score = x -> Linear(1) }
    data Digits { source = sklearn("digits")   columns = { x: f32[8], label: i64 } }
    train GAN on Digits {
      models = { G: Generator, D: Discriminator }
      step discriminator updates D with Adam(lr = 2e-4, betas = [0.5, 0.999]) {
        fake = stop_gradient(G(normal([N, 4])))
        minimize bce_with_logits(D(x), 1) + bce_with_logits(D(fake), 0)
      }
      step generator updates G with SGD(lr = 2e-4) { minimize bce_with_logits(D(G(normal([N, 4]))), 1) }
    }
    """)
    training = made.trainings["GAN"]
    assert [s.updates for s in training.steps] == [("D",), ("G",)]
    first = made.graphs[training.steps[0].graph]
    assert [v.name for v in first.inputs] == ["x"]
    assert [n.name for n in first.nodes if isinstance(n.op, Call)] == ["G", "D", "D"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "dlspec.toml").write_text("")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "blocks.dls").write_text(
        "let depth = 2\n"
        "block Deep { input x: [N, D]  output x -> repeat depth { Linear(D) } }\n"
        "block Other { input x: [N]  output x }"
    )
    return tmp_path


def test_import_brings_only_what_is_named(tree: Path) -> None:
    spec = tree / "main.dls"
    spec.write_text('import { Deep } from "lib/blocks.dls"\nlet depth = 9\n'
                    "model Net { input x: f32[N, 3]  output x -> Deep }")  # fmt: skip
    (node,) = dlspec.load(spec).program.graphs["Deep"].nodes
    assert isinstance(node.op, Call)
    assert node.op.repeat == 2
    spec.write_text(
        'import { Deep } from "lib/blocks.dls"\nmodel Net { input x: f32[N, 3]  output x -> Other }'
    )
    with pytest.raises(SpecError):
        dlspec.load(spec)


def test_an_imported_model_that_is_exported_or_trained_is_one_of_the_spec(tree: Path) -> None:
    (tree / "a.dls").write_text(
        "model A { input x: f32[N]  output x }  model B { input x: f32[N]  output x }"
    )
    (tree / "b.dls").write_text('import "a.dls"\nexport B { format = onnx }')
    program = dlspec.load(tree / "b.dls").program
    assert [*program.models] == ["B"]
    assert program.exports["B"].model == "B"


def test_imports_cannot_circle(tree: Path) -> None:
    (tree / "a.dls").write_text('import "b.dls"\nmodel A { input x: f32[N]  output x }')
    (tree / "b.dls").write_text('import "a.dls"\nmodel B { input x: f32[N]  output x }')
    with pytest.raises(SpecError) as caught:
        dlspec.load(tree / "a.dls")
    assert [d.code for d in caught.value.diagnostics] == ["DLS0602"]


def test_an_error_in_a_block_is_told_once() -> None:
    text = "block B { input x: [N, D]   output x -> Linear(-1) }\n"
    assert codes(text + "model Net { input x: f32[N, 8]  output (x -> B) + (x -> B) }") == ["DLS0207"]


def test_weights_deep_in_a_model_can_be_regularised() -> None:
    spec = dlspec.loads(
        """
        block Body { input x: [N, D]  output x -> Linear(D) -> tanh }
        model Net { input x: f32[N, 4]  output y = x -> Body -> Linear(3) }
        data Rows { source = csv("rows.csv")  columns = { x: f32[4], label: i64 } }
        train Net on Rows {
          loss = cross_entropy(y, label) + 1e-4 * sum(square(model.body.linear.weight))  optimizer = SGD(lr = 0.1)
        }
        """
    )
    graph = spec.program.graphs[spec.program.trainings["Net"].steps[0].graph]
    assert "model.body.linear.weight" in {name for node in graph.nodes for name in node.inputs}


@pytest.mark.parametrize("kind", INIT_DEFAULTS)
def test_every_initialiser_can_be_written_anywhere(kind: str) -> None:
    text = """
    model Net {{
      input x: f32[N, 4, 4]
      w = Parameter({1}, init = {0})
      output x * sum(w) -> {2}, weight_init = {0})
    }}
    """
    window = kind == "bilinear"
    shape, layer = ([4, 4, 3], "Conv1d(4, 3") if window else ([4, 4], "Linear(4")
    for written in (kind, f"{kind}({', '.join(map(str, INIT_DEFAULTS[kind]))})"):
        model = dlspec.loads(text.format(written, shape, layer)).model()
        assert model.weights()["w"].shape == tuple(shape)
        assert all(model.code(backend) for backend in ("torch", "keras", "onnx"))
    many = f"{kind}({', '.join(['1'] * (len(INIT_DEFAULTS[kind]) + 1))})"
    with pytest.raises(dlspec.SpecError, match="DLS0205"):
        dlspec.loads(text.format(many, shape, layer))


@pytest.mark.parametrize("name", ["sum", "min", "max"])
def test_what_a_function_is_given_is_computed_once(name: str) -> None:
    """These are functions of numbers, too: which of both is meant shows only when the argument is known."""
    graph = model(f"  output y = {name}(x * 2, axis = 1)")
    assert operators(graph) == ["constant", "mul", name]


@pytest.mark.parametrize(("numbers", "dtype"), [("1, 0", "i64"), ("1, 0.5", "f32"), ("x, 0", "f32")])
def test_numbers_beside_a_condition_are_not_bool(numbers: str, dtype: str) -> None:
    graph = model(f"  output y = where(x > 0, {numbers})")
    assert str(graph.types["y"]) == f"{dtype}[N, 8]"

"""Calls inlined: names, weights, repeats, sharing, symbols; in time linear in the result."""

from __future__ import annotations

import dlspec
from dlspec.ir.builder import Builder
from dlspec.ir.dims import symbol
from dlspec.ir.graph import Graph, Program
from dlspec.passes.flatten import bypass, flatten, inline_functions, prepend


def block(width: str = "4") -> Graph:
    b = Builder("Block")
    x = b.input("x", f"f32[N, {width}]")
    h = b.Linear(4, name="fc")(x)
    b.label(h, "h")
    b.output("y", b.relu(h))
    return b.build()


def model(repeat: int) -> Program:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    (y,) = b.call("Block", block(), [x], name="layer", repeat=repeat)
    b.output("out", y)
    return Program(graphs={"Net": b.build(), "Block": block()}, models={"Net": "Net"})


def wiring(graph: Graph) -> list[str]:
    return [
        f"{', '.join(n.outputs)} = {n.op.spec_name()}({', '.join(map(str, n.inputs))})" for n in graph.nodes
    ]


def test_a_graph_without_calls_is_itself() -> None:
    program = Program(graphs={"Block": block()})
    assert flatten(program, "Block") is program.graphs["Block"]


def test_repeats_are_unrolled_and_the_last_copy_gives_the_callers_name() -> None:
    program = model(2)
    flat = flatten(program, "Net")
    assert wiring(flat) == [
        "layer.0.h = Linear(x)",
        "layer.0.y = relu(layer.0.h)",
        "layer.1.h = Linear(layer.0.y)",
        "out = relu(layer.1.h)",
    ]
    assert [w.name for w in flat.weights] == [w.name for w in program.all_weights("Net")]
    assert [node.name for node in flat.nodes] == ["layer.0.fc", "", "layer.1.fc", ""]
    assert flat.nodes[2].weights == {"weight": "layer.1.fc.weight", "bias": "layer.1.fc.bias"}
    assert all(name in flat.types for node in flat.nodes for name in (*node.inputs, *node.outputs))


def test_operands_that_are_not_carried_go_to_every_copy() -> None:
    inner = Builder("Step")
    h, x = inner.input("h", "f32[3]"), inner.input("x", "f32[3]")
    inner.output("h2", h + x)
    step = inner.build()
    b = Builder("Net")
    h, x = b.input("h", "f32[3]"), b.input("x", "f32[3]")
    b.output("y", b.call("Step", step, [h, x], name="step", repeat=3)[0])
    flat = flatten(Program(graphs={"Net": b.build(), "Step": step}), "Net")
    assert wiring(flat) == [
        "step.0.h2 = add(h, x)",
        "step.1.h2 = add(step.0.h2, x)",
        "y = add(step.1.h2, x)",
    ]


def test_a_shared_instance_has_one_set_of_weights_and_two_of_values() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    (one,) = b.call("Block", block(), [x], name="enc")
    (two,) = b.call("Block", block(), [one], name="enc")
    b.output("y", two)
    flat = flatten(Program(graphs={"Net": b.build(), "Block": block()}), "Net")
    assert [w.name for w in flat.weights] == ["enc.fc.weight", "enc.fc.bias"]
    made = [name for node in flat.nodes for name in node.outputs]
    assert len(set(made)) == 4
    assert made[2] == "enc@2.h"
    assert flat.nodes[0].weights == flat.nodes[2].weights


def test_a_tied_weight_of_a_callee_is_the_callees() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    (y,) = b.call("Block", block(), [x], name="enc")
    tied = b.reference("enc.fc.weight", b.types["x"].with_shape((4, 4)))
    b.output("y", y @ b.transpose(tied))
    flat = flatten(Program(graphs={"Net": b.build(), "Block": block()}), "Net")
    assert flat.nodes[-2].inputs == ("enc.fc.weight",)


def test_a_callee_that_hands_on_its_operand() -> None:
    inner = Builder("Same")
    x = inner.input("x", "f32[3]")
    inner.output("x", x)
    same = inner.build()
    b = Builder("Net")
    x = b.input("x", "f32[3]")
    (y,) = b.call("Same", same, [x], name="same", repeat=5)
    b.output("y", b.relu(y))
    assert wiring(flatten(Program(graphs={"Net": b.build(), "Same": same}), "Net")) == ["y = relu(x)"]


def test_symbols_of_a_model_stand_for_what_it_is_given() -> None:
    inner = Builder("Inner")
    x = inner.input("x", "f32[N, T, 4]")
    inner.output("y", inner.reshape(x, shape=(symbol("N") * symbol("T"), 4)))
    callee = inner.build()
    b = Builder("Net")
    x = b.input("x", "f32[B, 6, 4]")
    results = [b.types["x"].with_shape((symbol("B") * 6, 4))]
    b.output("y", b.call("Inner", callee, [x], name="inner", results=results)[0])
    flat = flatten(Program(graphs={"Net": b.build(), "Inner": callee}), "Net")
    assert str(flat.nodes[0].op) == "reshape(shape=(6 * B, 4))"
    assert str(flat.types["y"]) == "f32[6 * B, 4]"


def test_preparation_feeds_inputs_by_name_and_what_nobody_reads_goes() -> None:
    first = Builder("Prepare")
    image, label = first.input("image", "f32[N, 4]"), first.input("label", "f32[N]")
    first.output("image", image / 16.0)
    first.output("label", label * 2.0)
    second = Builder("Net")
    second.output("y", second.relu(second.input("image", "f32[N, 4]")))
    flat = prepend(first.build(), second.build())
    assert [v.name for v in flat.inputs] == ["image"]
    assert [n.op.spec_name() for n in flat.nodes] == ["constant", "div", "relu"]
    assert flat.nodes[1].inputs[0] == "image"


def test_bypassed_operators_leave_no_trace() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 4]")
    b.output("y", b.relu(b.Dropout(name="d2")(b.Dropout(name="d1")(x))))
    flat = bypass(b.build(), ["Dropout"])
    assert wiring(flat) == ["y = relu(x)"]


def test_ten_thousand_copies() -> None:
    flat = flatten(model(10_000), "Net")
    assert len(flat.nodes) == len(flat.weights) == 20_000


def test_functions_are_inlined_under_names_of_their_own_and_blocks_stay() -> None:
    program = dlspec.loads(
        """
        block half(times = 1) { input x  h = x / 2  output h * times }
        block Body { input x: [N, D]  output x -> Linear(D) }
        model Net { input x: f32[N, 4]  h = half(x, times = 3)  output y = h -> Body -> half }
        """
    ).program
    graph = inline_functions(program, "Net").graphs["Net"]
    assert "half1_h = div(x, %half1.1)" in wiring(graph)
    assert "h = mul(half1_h, %half1.3)" in wiring(graph)
    assert [node.op.spec_name() for node in graph.nodes if node.name] == ["call"]
    assert graph.outputs[0].value in graph.types
    assert inline_functions(program, "Body") is program

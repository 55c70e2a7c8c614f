"""Moving a graph to channels last changes no result, and leaves as few transpositions as there can be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlspec.ir.builder import Builder
from dlspec.ir.graph import Graph, Program, instance_paths
from dlspec.ir.types import INTEGERS, TensorType, parse_type, tensor
from dlspec.ops import operators
from dlspec.passes.channels_last import ELEMENTWISE, SPATIAL, move
from dlspec.passes.layouts import ChannelsLast
from dlspec.passes.moved_axes import RULES


def program(graph: Graph, **callees: Graph) -> Program:
    return Program(graphs={"Net": graph, **callees}, models={"Net": "Net"})


def transpositions(moved: Program) -> int:
    return sum(node.op.spec_name() == "transpose" for graph in moved.graphs.values() for node in graph.nodes)


def names(graph: Graph) -> list[str]:
    return [node.op.spec_name() for node in graph.nodes]


def draw(kind: TensorType, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    shape = [dim if isinstance(dim, int) else 2 for dim in kind.shape]
    if kind.dtype == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    if kind.dtype in INTEGERS:
        return rng.integers(0, 2, shape)
    return rng.standard_normal(shape)


def evaluate(
    program: Program, key: str, inputs: list[Any], weights: dict[str, Any], path: str = ""
) -> list[Any]:
    """The results of a graph by the operators' references; every intermediate has its stated shape."""
    graph = program.graphs[key]
    values = dict(zip((v.name for v in graph.inputs), inputs, strict=True))
    values.update({w.name: weights[path + w.name] for w in graph.weights})
    for node in graph.nodes:
        operands = [None if n is None else values[n] for n in node.inputs]
        if node.op.spec_name() == "call":
            results = operands
            for copy in instance_paths(node):
                results = evaluate(program, node.op.graph, operands, weights, f"{path}{copy}.")
                operands = [*results[: node.op.carried], *operands[node.op.carried :]]
        else:
            results = apply(node.op, operands, {k: values[p] for k, p in node.weights.items()})
        for name, result in zip(node.outputs, results, strict=True):
            stated = graph.types[name].shape
            assert all(a == b for a, b in zip(stated, np.shape(result), strict=True) if isinstance(a, int)), (
                node
            )
            values[name] = result
    return [values[output.value] for output in graph.outputs]


def apply(op: Any, operands: list[Any], weights: dict[str, Any]) -> list[Any]:
    try:
        found = op.reference(*operands, **weights)
    except NotImplementedError:
        b = Builder("inner")
        given = [x for x in operands if x is not None]
        handles = [
            None if x is None else b.input(f"x{i}", tensor("bool" if x.dtype == bool else "f32", x.shape))
            for i, x in enumerate(operands)
        ]
        b.output("y", op.decompose(b, *handles))
        return evaluate(program(b.build()), "Net", given, {})
    return list(found) if isinstance(found, tuple) else [found]


def check(before: Program) -> Program:
    """Both programs give the same for the same inputs and weights; the moved one is given back."""
    after = move(before, ["Net"])
    graph = before.graphs["Net"]
    inputs = [draw(value.type, i) for i, value in enumerate(graph.inputs)]
    weights = {w.name: np.abs(draw(w.type, 9)) + 0.5 for w in before.all_weights("Net")}
    wanted = evaluate(before, "Net", inputs, weights)
    found = evaluate(after, "Net", inputs, weights)
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10)
    assert [v.type for v in after.graphs["Net"].inputs] == [v.type for v in graph.inputs]
    assert after.graphs["Net"].output_types() == graph.output_types()
    return after


def spatial_identity(b: Builder, x: Any) -> Any:
    """`x` through a layer that wants channels last."""
    wanted = 3 <= x.type.rank <= 5 and x.type.is_float
    return getattr(b, f"MaxPool{x.type.rank - 2}d")(1)(x) if wanted else x


def plain(text: str) -> str:
    """An example's operand without the range of its elements."""
    return text.partition(" <")[0].partition(" >")[0]


CASES = [
    pytest.param(cls, fields, types, id=f"{name}-{i}")
    for name, cls in operators().items()
    if cls.__module__ not in ("dlspec.ops.random", "dlspec.ops.losses", "dlspec.ops.metrics")
    for i, (fields, types) in enumerate(cls.examples)
    if any(parse_type(plain(text)).rank >= 3 for text in types)
]


@pytest.mark.parametrize(("cls", "fields", "types"), CASES)
def test_every_operator_means_the_same(cls: Any, fields: dict[str, Any], types: tuple[str, ...]) -> None:
    b = Builder("Net")
    inputs = [b.input(f"x{i}", plain(text)) for i, text in enumerate(types)]
    results = b.add(
        cls(**fields), [spatial_identity(b, x) for x in inputs], name="op" if cls.stateful else ""
    )
    for i, result in enumerate(results):
        b.output(f"y{i}", spatial_identity(b, result))
    check(program(b.build()))


def test_the_tables_name_operators() -> None:
    planned = {"AdaptiveMaxPool3d", "AdaptiveAvgPool3d"}
    assert {*ELEMENTWISE, *SPATIAL, *RULES} - planned <= {*operators()}


def test_a_chain_of_layers_is_moved_once_at_each_end() -> None:
    b = Builder("Net")
    x = b.input("image", "f32[N, 3, 8, 8]")
    h = b.relu(b.BatchNorm()(b.Conv2d(4, 3)(x)))
    h = b.relu(h + b.Conv2d(4, 3, padding="same")(h) * 2.0)
    b.output("y", b.Conv2d(2, 1)(b.pad(h, padding=((1, 1), (1, 1)))))
    moved = check(program(b.build()))
    assert transpositions(moved) == 2
    assert sum(isinstance(n.op, ChannelsLast) for n in moved.graphs["Net"].nodes) == 4


def test_flatten_sees_channels_first() -> None:
    b = Builder("Net")
    x = b.input("image", "f32[2, 3, 8, 8]")
    b.output("y", b.Linear(5)(b.flatten(b.MaxPool2d(2)(b.Conv2d(4, 3)(x)))))
    moved = check(program(b.build()))
    assert names(moved.graphs["Net"]) == [
        "transpose", "Conv2d", "MaxPool2d", "transpose", "flatten", "Linear",
    ]  # fmt: skip


def test_global_pooling_needs_no_way_back() -> None:
    b = Builder("Net")
    x = b.input("image", "f32[2, 3, 8, 8]")
    b.output("y", b.Linear(5)(b.mean(b.Conv2d(4, 3)(x), axis=(2, 3))))
    moved = check(program(b.build()))
    assert names(moved.graphs["Net"]) == ["transpose", "Conv2d", "mean", "Linear"]
    assert moved.graphs["Net"].nodes[2].op.axis == (1, 2)  # type: ignore[attr-defined]


def test_patches_of_a_vision_transformer_need_no_way_back() -> None:
    b = Builder("Net")
    x = b.input("image", "f32[2, 3, 8, 8]")
    h = b.Conv2d(16, 4, stride=4)(x)
    b.output("y", b.LayerNorm()(b.transpose(b.flatten(h, start=2))))
    assert names(check(program(b.build())).graphs["Net"]) == ["transpose", "Conv2d", "reshape", "LayerNorm"]


def test_a_layer_norm_over_channels_needs_no_way_back() -> None:
    b = Builder("Net")
    x = b.input("image", "f32[2, 3, 8, 8]")
    h = b.transpose(b.Conv2d(4, 3)(x), axes=(0, 2, 3, 1))
    h = b.transpose(b.Linear(6)(b.LayerNorm()(h)), axes=(0, 3, 1, 2))
    b.output("y", b.mean(b.Conv2d(4, 3)(h), axis=(2, 3)))
    assert transpositions(check(program(b.build()))) == 1


def test_squeeze_and_excitation_broadcasts_without_transpositions() -> None:
    b = Builder("Net")
    x = b.input("image", "f32[2, 3, 8, 8]")
    h = b.Conv2d(4, 3)(x)
    s = b.sigmoid(b.Linear(4)(b.mean(h, axis=(2, 3))))
    h = h * b.reshape(s, shape=(2, 4, 1, 1))
    b.output("y", b.mean(b.Conv2d(2, 1)(h), axis=(2, 3)))
    moved = check(program(b.build()))
    assert transpositions(moved) == 1
    assert names(moved.graphs["Net"]).count("reshape") == 1


@pytest.mark.parametrize(
    "shape", ["[4, 1, 1]", "[4, 6, 6]", "[6, 6]", "[6]", "[1, 4, 1, 1]", "[2, 1, 6, 6]", "[]", "[1]"]
)
def test_operands_of_lower_rank_broadcast(shape: str) -> None:
    b = Builder("Net")
    x, other = b.input("x", "f32[2, 3, 8, 8]"), b.input("other", f"f32{shape}")
    b.output("y", b.Conv2d(2, 1)(b.relu(b.Conv2d(4, 3)(x) + other)))
    check(program(b.build()))


def residual(channels: int) -> Graph:
    b = Builder("Residual")
    x = b.input("x", f"f32[N, {channels}, 8, 8]")
    b.output("y", b.relu(x + b.Conv2d(channels, 3, padding=1)(x)))
    return b.build()


def test_blocks_take_and_return_channels_last() -> None:
    block = residual(4)
    b = Builder("Net")
    h = b.Conv2d(4, 1)(b.input("image", "f32[2, 3, 8, 8]"))
    for i in range(2):
        h = b.call("Residual", block, [h], name=f"block{i}")[0]
    h = b.call("Residual", block, [h], name="blocks", repeat=3)[0]
    b.output("y", b.mean(h, axis=(2, 3)))
    moved = check(program(b.build(), Residual=block))
    assert transpositions(moved) == 1
    assert set(moved.graphs) == {"Net", "Residual"}


def test_a_block_is_moved_for_what_it_wants_even_at_the_edge() -> None:
    block = residual(4)
    b = Builder("Net")
    h = b.call("Residual", block, [b.input("image", "f32[2, 4, 8, 8]")], name="first")[0]
    b.output("y", b.call("Residual", block, [h], name="second")[0])
    moved = check(program(b.build(), Residual=block))
    assert set(moved.graphs) == {"Net", "Residual"}
    assert names(moved.graphs["Net"]) == ["transpose", "call", "call", "transpose"]


def test_a_graph_without_layers_stays_as_it_is() -> None:
    b = Builder("Net")
    x = b.input("x", "f32[N, 5, 6]")
    b.output("y", b.softmax(b.Linear(6)(x) + x))
    before = program(b.build())
    after = move(before, ["Net"])
    assert after.graphs["Net"].nodes == before.graphs["Net"].nodes


def test_an_entry_that_another_calls_is_the_same_for_both() -> None:
    block = residual(4)
    b = Builder("Net")
    h = b.call("Residual", block, [b.input("image", "f32[2, 4, 8, 8]")], name="model")[0]
    b.output("y", b.mean(b.Conv2d(2, 1)(h), axis=(2, 3)))
    moved = move(program(b.build(), Residual=block), ["Net", "Residual"])
    assert set(moved.graphs) == {"Net", "Residual"}
    assert moved.graphs["Residual"].output_types() == block.output_types()
    assert names(moved.graphs["Net"]) == ["call", "transpose", "Conv2d", "mean"]

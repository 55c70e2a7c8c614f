"""The reference interpreter on graphs: calls, repeats, tied weights, symbols, randomness, f64."""

from __future__ import annotations

import numpy as np
import pytest

from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program
from dlspec.ops.random import Draws
from dlspec.runtime.interpreter import apply, run


def _layer(features=3):
    b = Builder("Layer")
    x = b.input("x", "f32[N, 3]")
    b.output("y", b.relu(b.Linear(features, name="linear")(x)))
    return b.build()


def test_a_graph_runs():
    weights = {"linear.weight": np.eye(3, dtype=np.float32), "linear.bias": np.float32([0, 1, -9])}
    results = run(Program(graphs={"Layer": _layer()}), "Layer", {"x": np.ones((2, 3), np.float32)}, weights)
    assert results["y"].tolist() == [[1, 2, 0]] * 2
    assert results["y"].dtype == np.float32


def test_calls_find_their_weights_and_repeats_carry_their_results():
    b = Builder("Net")
    x = b.input("x", "f32[N, 3]")
    (once,) = b.call("Layer", _layer(), [x], name="first")
    (twice,) = b.call("Layer", _layer(), [once], name="stack", repeat=2)
    b.output("y", twice)
    program = Program(graphs={"Layer": _layer(), "Net": b.build()}, models={"Net": "Net"})
    weights = {}
    for number, path in enumerate(["first", "stack.0", "stack.1"]):
        weights[f"{path}.linear.weight"] = np.eye(3, dtype=np.float32) * (number + 2)
        weights[f"{path}.linear.bias"] = np.zeros(3, np.float32)
    assert {w.name for w in program.all_weights("Net")} == set(weights)
    assert run(program, "Net", {"x": np.ones((1, 3), np.float32)}, weights)["y"].tolist() == [[24, 24, 24]]


def test_a_tied_weight_is_the_tensor_itself():
    b = Builder("Net")
    words = b.input("words", "i64[N, T]")
    h = b.Embedding(5, 2, name="embed")(words)
    b.output("scores", h @ b.transpose(b.reference("embed.weight", b.types["embed.weight"])))
    table = np.arange(10, dtype=np.float32).reshape(5, 2)
    program = Program(graphs={"Net": b.build()})
    results = run(program, "Net", {"words": np.array([[1, 4]])}, {"embed.weight": table})
    np.testing.assert_array_equal(results["scores"], table[[[1, 4]]] @ table.T)


def test_symbols_in_fields_become_sizes():
    b = Builder("Net")
    x = b.input("x", "f32[N, T]")
    n, t = x.type.shape
    b.output("y", x + b.cast(b.arange(start=t), dtype="f32"))
    b.output("mean", b.sum(x) / b.size(dim=n * t))
    x = np.ones((2, 3), np.float32)
    results = run(Program(graphs={"g": b.build()}), "g", {"x": x}, {})
    assert results["y"].tolist() == [[1, 2, 3]] * 2
    assert results["mean"] == 1


def test_inputs_of_one_symbol_agree():
    b = Builder("Net")
    x, y = b.input("x", "f32[N, 2]"), b.input("y", "f32[2 * N]")
    b.output("z", b.reshape(x, shape=[-1]) + y)
    program = Program(graphs={"g": b.build()})
    run(program, "g", {"x": np.ones((3, 2)), "y": np.ones(6)}, {})
    with pytest.raises(ValueError, match="`y` must be"):
        run(program, "g", {"x": np.ones((3, 2)), "y": np.ones(5)}, {})
    with pytest.raises(ValueError, match="`x` must be"):
        run(program, "g", {"x": np.ones((3, 4)), "y": np.ones(6)}, {})


def test_what_is_missing_is_named():
    program = Program(graphs={"Layer": _layer()})
    with pytest.raises(KeyError, match=r"linear\.weight"):
        run(program, "Layer", {"x": np.ones((2, 3))}, {})
    with pytest.raises(KeyError, match="input x"):
        run(program, "Layer", {}, {})


def test_double_reaches_constants():
    b = Builder("Net")
    x = b.input("x", "f32[N]")
    b.output("y", b.gelu(x) * 0.1 + b.cast(b.cast(x, dtype="i64"), dtype="f32") / 3)
    program = Program(graphs={"g": b.build()})
    x = np.linspace(-2, 2, 5)
    single = run(program, "g", {"x": x}, {})["y"]
    double = run(program, "g", {"x": x}, {}, double=True)["y"]
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    from math import erf

    exact = [0.05 * v * (1 + erf(v / 2**0.5)) + int(v) / 3 for v in x]
    np.testing.assert_allclose(double, exact, rtol=1e-14)


def test_dropout_acts_in_training_and_can_be_replayed():
    b = Builder("Net")
    x = b.input("x", "f32[N]")
    b.output("y", b.Dropout(0.25, name="drop")(x))
    program, inputs = Program(graphs={"g": b.build()}), {"x": np.ones(10_000, np.float32)}
    assert (run(program, "g", inputs, {})["y"] == 1).all()
    first = run(program, "g", inputs, {}, training=True)["y"]
    assert set(np.unique(first)) == {0, np.float32(1 / 0.75)}
    assert abs((first == 0).mean() - 0.25) < 0.02
    assert (first == run(program, "g", inputs, {}, training=True)["y"]).all()
    assert (first != run(program, "g", inputs, {}, training=True, seed=1)["y"]).any()


def test_each_random_tensor_has_its_own_stream_and_the_expected_spread():
    b = Builder("Net")
    x = b.input("x", "f32[N]")
    shape = x.type.shape
    b.output("a", b.normal(shape=shape))
    b.output("b", b.normal(shape=shape))
    b.output("c", b.normal(shape=shape, stream="noise"))
    b.output("d", b.normal(shape=shape, stream="noise"))
    b.output("g", b.gumbel(shape=shape))
    b.output("p", b.bernoulli(p=0.3, shape=shape))
    program = Program(graphs={"g": b.build()})
    drawn = run(program, "g", {"x": np.ones(20_000)}, {})
    assert (drawn["a"] != drawn["b"]).any()
    assert (drawn["c"] == drawn["d"]).all()
    assert abs(drawn["a"].mean()) < 0.03
    assert abs(drawn["a"].std() - 1) < 0.03
    assert abs(drawn["g"].mean() - np.euler_gamma) < 0.05
    assert abs(drawn["p"].mean() - 0.3) < 0.02


def test_numbers_of_a_stream_never_change():
    """Published runs are replayed from these numbers."""
    assert Draws(0, "a").uniform((2,)).tolist() == [0.7546464938977104, 0.47728516652188907]
    np.testing.assert_allclose(
        Draws(7, "conv1.weight").normal((2,)), [-1.318970058005701, 0.5985690025517613], rtol=1e-14
    )


def test_fully_masked_queries_give_zero():
    x = np.ones((2, 3), np.float32)
    (y,) = apply(_attention(), [x, x, x, np.array([[False, False], [True, False]])])
    assert y.tolist() == [[0, 0, 0], [1, 1, 1]]


def _attention():
    from dlspec.ops import operator

    return operator("attention")()

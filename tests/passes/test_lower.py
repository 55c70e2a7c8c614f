"""Lowering replaces what a backend lacks, and says what it cannot replace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.manifest import Backend, load_backend
from dlspec.ir.builder import Builder
from dlspec.ir.graph import Call, Graph, Program
from dlspec.passes.lower import lower
from dlspec.runtime.interpreter import run

PRIMITIVES = ["add", "sub", "mul", "div", "matmul", "sqrt", "sum", "constant", "transpose", "reshape", "tanh"]


def backend(folder: Path, *names: str) -> Backend:
    rows = "".join(f'[ops.{name}]\ncall = "{name}"\n' for name in names)
    (folder / "backend.toml").write_text(f'[backend]\nname = "small"\n{rows}')
    return load_backend(str(folder))


def program(b: Builder) -> Program:
    return Program(graphs={b.name: b.build()}, models={b.name: b.name})


def ops(graph: Graph) -> set[str]:
    return {node.op.spec_name() for node in graph.nodes}


def test_what_is_legal_stays_the_same_object(tmp_path: Path) -> None:
    b = Builder("Net")
    b.output("y", b.tanh(b.input("x", "f32[N, 4]")))
    before = program(b)
    assert lower(before, ["Net"], backend(tmp_path, *PRIMITIVES)) is before


def test_functions_are_replaced_in_place_and_layers_by_calls(tmp_path: Path) -> None:
    b = Builder("Net")
    x = b.input("x", "f32[2, 4]")
    h = b.RMSNorm(name="norm1")(x)
    h = b.RMSNorm(name="norm2")(h) + b.mean(x, axis=0)
    b.output("y", b.Linear(3, name="linear")(h))
    before = program(b)
    after = lower(before, ["Net"], backend(tmp_path, *PRIMITIVES))
    graph = after.graphs["Net"]
    assert ops(graph) <= {*PRIMITIVES, "call"}
    calls = [node for node in graph.nodes if isinstance(node.op, Call)]
    assert [(node.name, node.op.graph) for node in calls] == [
        ("norm1", "RMSNorm"),
        ("norm2", "RMSNorm"),
        ("linear", "Linear"),
    ]
    assert not graph.weights
    paths = [weight.name for weight in after.all_weights("Net")]
    assert sorted(paths) == sorted(w.name for w in before.all_weights("Net")) == [
        "linear.bias", "linear.weight", "norm1.weight", "norm2.weight",
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    weights = {w.name: rng.normal(size=w.type.shape).astype("float32") for w in before.all_weights("Net")}
    inputs = {"x": rng.normal(size=(2, 4)).astype("float32")}
    (one,), (two,) = (run(p, "Net", inputs, weights).values() for p in (before, after))
    assert np.abs(one - two).max() < 1e-5


def test_what_is_only_another_value_disappears(tmp_path: Path) -> None:
    b = Builder("Net")
    x = b.input("x", "f32[2, 4]")
    y = b.Dropout(p=0.0)(x)
    b.output("y", b.tanh(y))
    b.output("z", b.rearrange(x, pattern="a b -> a b"))
    graph = lower(program(b), ["Net"], backend(tmp_path, *PRIMITIVES, "slice")).graphs["Net"]
    assert [output.value for output in graph.outputs][1] == "x"


def test_every_operator_that_cannot_be_printed_is_named(tmp_path: Path) -> None:
    b = Builder("Net")
    x = b.input("x", "f32[2, 4]")
    b.output("y", b.cumsum(b.erf(x), axis=1))
    with pytest.raises(SpecError) as caught:
        lower(program(b), ["Net"], backend(tmp_path, *PRIMITIVES))
    assert [d.code for d in caught.value.diagnostics] == ["DLS0702", "DLS0702"]
    assert "erf" in caught.value.diagnostics[0].message
    assert "small" in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("target", "left"),
    [(1, {"neg", "softplus"}), (0, {"softplus"}), (2, {"mul", "sub", "softplus", "constant"})],
)
def test_a_constant_target_is_put_in(target: int, left: set[str], tmp_path: Path) -> None:
    """Binary cross-entropy with 0 or 1, as for what is real and what is drawn, is a softplus."""
    b = Builder("Net")
    x = b.input("x", "f32[5]")
    b.output("y", b.bce_with_logits(x, b.constant(target, like=x), reduction="none"))
    before = program(b)
    after = lower(before, ["Net"], backend(tmp_path, *PRIMITIVES, "softplus", "neg", "cast"))
    assert ops(after.graphs["Net"]) - {"constant", "cast"} == left - {"constant"}
    x = np.linspace(-30, 30, 5).astype(np.float32)
    wanted, found = (run(each, "Net", {"x": x}, {}) for each in (before, after))
    np.testing.assert_allclose(found["y"], wanted["y"], rtol=1e-6, atol=1e-6)

"""One class for instances of a block of which some have nodes that others have not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.python import print_model
from dlspec.ir.condition import holds, names, renamed
from dlspec.ir.graph import Program
from tests.emit.running import assert_close, torch_and_reference

BLOCKS: Mapping[str, tuple[str, str]] = {
    # a branch with layers, given back as it is
    "branch": ("block B(width, extra = false) { input x: [N, D]  y = x -> Linear(width) -> relu\n"
               "if extra { y = y -> LayerNorm -> tanh }  output y }",
               "B(8) -> B(8, extra = true) -> B(8)"),
    # no layers: the condition is asked where it is needed
    "pure": ("block B(width, twice = false) { input x: [N, D]  y = x -> Linear(width)\n"
             "if twice { y = tanh(y) * 2 }  output y + 1 }",
             "B(8) -> B(8, twice = true)"),
    # two options, one inside the other
    "nested": ("block B(width, skip = false, half = false) { input x: [N, D]  y = x -> Linear(width)\n"
               "if skip { y = x + (if half then y * 0.5 else y) }  output relu(y) }",
               "B(8) -> B(8, skip = true) -> B(8, skip = true, half = true)"),
    # what cannot be said over parameters is a parameter
    "flag": ("let chosen = { a: 1, b: 2 }\nblock B(which) { input x: [N, D]  y = x -> Linear(4)\n"
             "if chosen[which] == 2 { y = y -> LayerNorm }  output y }",
             'B("a") -> B("b") -> B("a")'),
    # two values of which one is handed on
    "several": ("block B(mix = false) { input x: [N, D]  a = x -> Linear(4)  b = tanh(a)\n"
                "if mix { a, b = [a + b, a - b] }  output a * b }",
                "B -> B(mix = true)"),
}  # fmt: skip


def program(name: str) -> Program:
    block, uses = BLOCKS[name]
    return dlspec.loads(f"{block}\nmodel Net {{ input x: f32[N, 8]  output z = x -> {uses} }}").program


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("name", BLOCKS)
def test_one_class_is_printed(name: str, backend: str) -> None:
    text = print_model(program(name), "Net", load_backend(backend))
    assert text.count("class B") == 1


@pytest.mark.parametrize("name", BLOCKS)
def test_it_computes_what_each_instance_does(name: str) -> None:
    pytest.importorskip("torch")
    inputs = {"x": np.random.default_rng(1).normal(size=(3, 8)).astype("float32")}
    assert_close(torch_and_reference(program(name), inputs))


def test_the_condition_is_the_specs() -> None:
    text = print_model(program("branch"), "Net", load_backend("torch"))
    assert "        self.norm = None\n        if extra:\n" in text
    assert "        if self.norm is not None:\n" in text or " if self.norm is None else " in text
    assert "with_norm: bool" in print_model(program("flag"), "Net", load_backend("torch"))


def test_branches_with_layers_of_their_own_are_two_classes() -> None:
    text = """
    block B(wide) {
      input x: [N, D]
      output if wide then x -> Linear(32) -> relu -> Linear(8) else x -> LayerNorm -> tanh
    }
    model Net { input x: f32[N, 8]  output y = x -> B(true) -> B(false) }
    """
    printed = print_model(dlspec.loads(text).program, "Net", load_backend("torch"))
    assert printed.count("class B") == 2


def test_conditions_are_evaluated_and_renamed() -> None:
    condition = "stride != 1 or C != 4 * planes"
    assert holds(condition, {"stride": 1, "C": 256, "planes": 64}) is False
    assert holds(condition, {"stride": 1, "C": 64, "planes": 64}) is True
    assert holds(condition, {"stride": 1}) is None
    assert names(condition) == {"stride", "C", "planes"}
    assert renamed(condition, lambda name: f"self.{name}") == "self.stride != 1 or self.C != 4 * self.planes"

"""Whole models: what is printed, that it is formatted, and that it computes the right thing."""

from __future__ import annotations

import random
import subprocess
import sys

import numpy as np
import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.python import print_graphs, print_model
from dlspec.ir.builder import Builder, Handle
from dlspec.ir.graph import Program
from tests.emit.running import assert_close, torch_and_reference
from tests.emit.specs import ALL, cnn, resnet, transformer

TORCH = load_backend("torch")
INPUTS = {
    "cnn": {"image": np.random.default_rng(1).normal(size=(3, 1, 8, 8)).astype("float32")},
    "resnet": {"image": np.random.default_rng(1).normal(size=(2, 3, 32, 32)).astype("float32")},
    "transformer": {"words": np.random.default_rng(1).integers(0, 100, (2, 7))},
}


def printed(program: Program) -> str:
    return print_model(program, next(iter(program.models)), TORCH)


@pytest.mark.parametrize("name", ALL)
def test_printed_models_compute_what_the_reference_does(name: str) -> None:
    pytest.importorskip("torch")
    assert_close(torch_and_reference(ALL[name](), INPUTS[name]))


def test_blocks_that_are_alike_share_a_class() -> None:
    text = printed(resnet())
    assert text.count("class Residual") == 1
    assert "self.residual3 = Residual(16, 32, stride=2)" in text
    assert "self.residual4 = Residual(32, 32)" in text
    assert "        self.conv3 = None\n        if stride != 1 or in_channels != channels:\n" in text
    assert "        skip = x if self.conv3 is None else self.batchnorm3(self.conv3(x))\n" in text
    assert (
        '"""Two convolutions around which the input is led.\n\n    x: float32 [N, in_channels, H, W]' in text
    )


def test_a_repeated_block_is_a_stack() -> None:
    text = printed(transformer())
    assert "nn.Sequential(*[TransformerLayer(dropout=0.1) for _ in range(4)])" in text
    assert "x = x + self.dropout1(self.attention(self.layernorm1(x)))" in text
    assert "return h @ self.embed.weight.T" in text
    assert "N, T = x.shape[:2]" in text


def test_a_parameter_that_cannot_change_is_a_number() -> None:
    b = Builder("Net", {"width": 8, "classes": 3})
    from tests.emit.specs import layer

    x = layer(b, "linear1", "Linear", b.input("x", "f32[N, 4]"), {"out_features": "width"}, out_features=8)
    x = b.reshape(x, shape=("N", 2, 4))  # does not follow from `width`
    b.output("y", layer(b, "linear2", "Linear", b.flatten(x), {"out_features": "classes"}, out_features=3))
    text = printed(Program(graphs={"Net": b.build()}, models={"Net": "Net"}))
    assert "def __init__(self, classes: int = 3) -> None:" in text
    assert "nn.Linear(4, 8)" in text


def test_a_stack_that_carries_two_values_is_a_loop() -> None:
    pytest.importorskip("torch")
    inner = Builder("Mix")
    a, c, m = (inner.input(name, "f32[N, 4]") for name in "acm")
    inner.output("a", inner.tanh(inner.Linear(4, name="linear")(a)) * m)
    inner.output("c", c + a)
    b = Builder("Net")
    x, mask = b.input("x", "f32[N, 4]"), b.input("mask", "f32[N, 4]")
    a, c = b.call("Mix", inner.build(), [x, b.relu(x), mask], name="mix", repeat=3, carried=2)
    b.output("y", a + c * mask)
    program = Program(graphs={"Mix": inner.build(), "Net": b.build()}, models={"Net": "Net"})
    assert "for block in self.mix:" in printed(program)
    rng = np.random.default_rng(0)
    assert_close(
        torch_and_reference(program, {n: rng.normal(size=(2, 4)).astype("float32") for n in ("x", "mask")})
    )


def combined(b: Builder, draw: random.Random, one: Handle, two: Handle) -> list[Handle]:
    """One of several small operators, applied."""
    forms = [
        lambda: b.tanh(one),
        lambda: b.Linear(4)(one),
        lambda: one + two,
        lambda: one - two * draw.choice((0.5, 2)),
        lambda: -(one * two),
        lambda: one / (b.abs(two) + 1.5),
        lambda: b.softmax(b.concat(one, two, axis=1), axis=-1),
        lambda: b.split(b.concat(one, two, axis=1), parts=2, axis=1),
        lambda: b.maximum(one, 0.25),
        lambda: b.where(b.greater(one, two), one, b.constant(0.5, like=one)),
        lambda: 1 - (one - two) ** 2,
    ]
    made = draw.choice(forms)()
    return list(made) if isinstance(made, (list, tuple)) else [made]


def random_graph(seed: int) -> Program:
    """A tangle of small operators, with names given, given again, and left out."""
    draw = random.Random(seed)
    b = Builder("Net")
    values: list[Handle] = [b.input(name, "f32[N, 4]") for name in ("x", "y", "h")[: draw.randint(1, 3)]]
    for _ in range(draw.randint(3, 25)):
        one, two = draw.choice(values[-draw.choice((1, 2, 6)) :]), draw.choice(values)
        results = combined(b, draw, one, two)
        for result in results:
            if draw.random() < 0.4:
                b.label(result, draw.choice(("x", "h", "a", "class", "x1", "loss")))
        if results[0].type.shape[1] == 8:
            results = [b.Linear(4)(results[0])]
        values.extend(results)
    for index, value in enumerate(draw.sample(values, min(len(values), draw.randint(1, 3)))):
        b.output(f"out{index}", value)
    return Program(graphs={"Net": b.build()}, models={"Net": "Net"})


@pytest.mark.parametrize("seed", range(150))
def test_variables_never_mix_up_values(seed: int) -> None:
    pytest.importorskip("torch")
    program = random_graph(seed)
    rng = np.random.default_rng(seed)
    inputs = {v.name: rng.normal(size=(3, 4)).astype("float32") for v in program.model("Net").inputs}
    assert_close(torch_and_reference(program, inputs), 1e-4)


def test_printed_files_are_formatted_and_clean(tmp_path) -> None:
    for name, make in ALL.items():
        (tmp_path / f"{name}.py").write_text(printed(make()))
    for seed in range(60):
        (tmp_path / f"random{seed}.py").write_text(printed(random_graph(seed)))
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["format", "--isolated", "--diff"], ["check", "--isolated", "--select", "E,F,I,UP,B"]):
        done = subprocess.run([*ruff, *command, str(tmp_path)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_survey_cnn_reads_as_if_written_by_hand() -> None:
    assert (
        printed(cnn()).partition("class ")[2]
        == '''Classifier(nn.Module):
    """image: float32 [N, 1, 8, 8] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.linear1 = nn.Linear(256, 128)
        self.linear2 = nn.Linear(128, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv1(image))  # [N, 32, 8, 8]
        x = F.max_pool2d(x, 2)  # [N, 32, 4, 4]
        x = F.relu(self.conv2(x))  # [N, 64, 4, 4]
        x = F.max_pool2d(x, 2)  # [N, 64, 2, 2]
        x = x.flatten(1)  # [N, 256]
        x = F.relu(self.linear1(x))  # [N, 128]
        return self.linear2(x)
'''
    )


SIZES_THAT_DIFFER = {
    "raw weights": ("weight = Parameter([D, width], init = normal(0.1))  output x @ weight", "6", "5"),
    "ranges": ("output x[:, 1:width]", "6", "5"),
    "shapes": ('output rearrange(x, "n (a b) -> n b a", b = width)', "2", "4"),
    "repeats": ("output tile(x, [1, width])", "2", "3"),
}


@pytest.mark.parametrize("body", SIZES_THAT_DIFFER)
def test_one_class_for_sizes_that_differ(body: str) -> None:
    pytest.importorskip("torch")
    text, first, second = SIZES_THAT_DIFFER[body]
    program = dlspec.loads(
        f"block Piece(width) {{ input x: [N, D]  {text} }}\n"
        "model Net { input x: f32[N, 8]  input y: f32[N, 12]\n"
        f"  output a = x -> Piece({first})\n  output b = y -> Piece({second}) }}"
    ).program
    assert printed(program).count("class Piece") == 1
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(size=(3, 8)).astype("f4"), "y": rng.normal(size=(3, 12)).astype("f4")}
    assert_close(torch_and_reference(program, inputs))


def test_definitions_of_one_name_may_use_each_other() -> None:
    """The body of a repeat is called `Layer`, too."""
    pytest.importorskip("torch")
    program = dlspec.loads(
        "block Layer { input x: [N, D]  output x -> Linear(D) }\n"
        "block Pair { input x: [N, D]  input y  output (x -> Layer) + y }\n"
        "model Net { input x: f32[N, 8]  repeat 2 { x = (x, x) -> Pair }  output y = x -> Layer }"
    ).program
    assert printed(program).count("class Layer") == 2
    assert_close(torch_and_reference(program, {"x": np.ones((3, 8), "f4")}))


@pytest.mark.parametrize("init", ["ones", "normal(0.5)", "constant(2.0)"])
def test_a_weight_may_be_a_single_number(init: str) -> None:
    program = dlspec.loads(
        f"model Net {{ input x: f32[N, 4]  s = Parameter([], init = {init})  output y = x * s }}"
    ).program
    assert_close(torch_and_reference(program, {"x": np.ones((2, 4), "float32")}))


def test_a_module_says_what_is_in_it() -> None:
    """Of one model what it is for, else their names; then each class says it."""
    one = "# A line.\nmodel Line { input x: f32[N, 4]  output y = x -> Linear(2) }"
    two = f"{one}\n# A curve.\nmodel Curve {{ input x: f32[N, 4]  output y = x -> Linear(3) -> relu }}"
    torch = load_backend("torch")
    text = print_graphs(dlspec.loads(one).program, ["Line"], torch)
    assert text.startswith('"""Line: a line.\n')
    assert text.count("line.") == 1
    text = print_graphs(dlspec.loads(two).program, ["Line", "Curve"], torch)
    assert text.startswith('"""Line and Curve.\n')
    assert '"""A curve.\n' in text

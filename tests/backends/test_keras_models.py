"""Whole printed Keras models: layers, blocks, tied weights, training; on two backends of Keras.

Keras picks its backend when it is imported, so each backend has a process of its own: this file runs itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.emit.manifest import load_backend
from dlspec.emit.python import print_model
from dlspec.emit.weights import weight_map
from dlspec.ir.builder import Builder
from dlspec.ir.graph import Program
from dlspec.ir.types import parse_type
from dlspec.runtime.interpreter import run

ROOT = Path(__file__).parents[2]


def cnn() -> Program:
    """Blocks that repeat, padding, a transposed convolution, squeeze and excitation."""
    block = Builder("Residual", params={"channels": 8})
    x = block.input("x", "f32[N, 8, 8, 8]")
    h = block.Conv2d(8, 3, padding=1, bias=False, name="conv1")(x)
    h = block.relu(block.BatchNorm(name="bn1")(h))
    h = block.BatchNorm(name="bn2")(block.Conv2d(8, 3, padding=1, bias=False, name="conv2")(h))
    block.output("y", block.relu(h + x))
    residual = block.build()

    b = Builder("Classifier")
    x = b.input("image", "f32[N, 3, 8, 8]")
    h = b.relu(b.Conv2d(8, 3, padding="same", name="stem")(x))
    h = b.call("Residual", residual, [h], name="stage", repeat=2)[0]
    h = b.MaxPool2d(3, stride=2, padding=1, name="pool")(h)
    h = b.PReLU(num_parameters=6, name="act")(b.ConvTranspose2d(6, 4, stride=2, padding=1, name="up")(h))
    gate = b.sigmoid(b.Linear(6, name="gate")(b.mean(h, axis=(2, 3))))
    h = h * b.reshape(gate, shape=(-1, 6, 1, 1))
    b.output("logits", b.Linear(10, name="head")(b.flatten(h)))
    return Program(
        graphs={"Classifier": b.build(), "Residual": residual}, models={"Classifier": "Classifier"}
    )


def gpt() -> Program:
    """Causal attention over a symbolic length; weights of an Embedding and of a Linear used as tensors."""
    block = Builder("Block", params={"heads": 2})
    x = block.input("x", "f32[N, T, 8]")
    qkv = block.Linear(24, name="qkv")(block.LayerNorm(name="norm1")(x))
    qkv = block.rearrange(qkv, pattern="n t (three h d) -> three n h t d", sizes={"three": 3, "h": 2})
    a = block.attention(*block.unstack(qkv), causal=True)
    a = block.rearrange(a, pattern="n h t d -> n t (h d)")
    x = x + block.Linear(8, name="out")(a)
    m = block.gelu(block.Linear(32, name="fc1")(block.LayerNorm(name="norm2")(x)))
    block.output("y", x + block.Dropout(0.1, name="drop")(block.Linear(8, name="fc2")(m)))
    layer = block.build()

    b = Builder("GPT")
    h = b.Embedding(11, 8, name="embed")(b.input("tokens", "i64[N, T]"))
    h = b.call("Block", layer, [h], name="blocks", repeat=2)[0]
    h = b.LayerNorm(name="norm")(b.Linear(8, bias=False, name="proj")(h))
    h = h @ b.reference("proj.weight", parse_type("f32[8, 8]"))
    b.output("logits", h @ b.transpose(b.reference("embed.weight", parse_type("f32[11, 8]"))))
    return Program(graphs={"GPT": b.build(), "Block": layer}, models={"GPT": "GPT"})


def rnn() -> Program:
    """Two bidirectional layers of gates that Keras orders otherwise."""
    b = Builder("Reader")
    h = b.GRU(4, layers=2, bidirectional=True, output="last", name="gru")(b.input("x", "f32[N, 5, 3]"))
    b.output("y", b.Linear(2, name="head")(h))
    return Program(graphs={"Reader": b.build()}, models={"Reader": "Reader"})


MODELS: dict[str, tuple[Callable[[], Program], tuple[int, ...]]] = {
    "Classifier": (cnn, (5, 3, 8, 8)), "GPT": (gpt, (5, 6)), "Reader": (rnn, (5, 5, 3)),
}  # fmt: skip


def printed(name: str) -> str:
    return print_model(MODELS[name][0](), name, load_backend("keras"))


@pytest.mark.parametrize("name", MODELS)
def test_printed_code_is_clean(name: str, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(printed(name))
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", file], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_channels_move_once() -> None:
    text = printed("Classifier")
    model = text[text.index("class Classifier") :]
    assert model.count("ops.transpose(") == 2
    assert text.count("ops.transpose(") == 2


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "torch"])
def test_models_compute_and_train(backend: str) -> None:
    for module in ("keras", backend):
        pytest.importorskip(module)
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, __file__], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name, measured in json.loads(done.stdout.splitlines()[-1]).items():
        for what, value in measured.items():
            assert value < 1e-5, f"{name}: {what} is off by {value}"


def measure(name: str) -> dict[str, float]:
    """How far the live model is from the reference, and from itself."""
    from keras import ops

    from tests.keras_weights import build, load, save

    make, shape = MODELS[name]
    program, rng = make(), np.random.default_rng(0)
    space: dict[str, Any] = {"__name__": "printed"}
    exec(compile(printed(name), "model.py", "exec"), space)
    model = space[name]()
    x = rng.integers(0, 11, shape) if name == "GPT" else rng.standard_normal(shape).astype("float32")
    build(model, [ops.convert_to_tensor(x)])
    weights = {}
    for weight in program.all_weights(name):
        values = rng.uniform(-0.5, 0.5, [int(dim) for dim in weight.type.shape]).astype("float32")
        weights[weight.name] = np.abs(values) + 0.5 if "var" in weight.name else values
    paths = weight_map(program, name, load_backend("keras"))
    assert {path for path, _, _ in paths} == set(weights)
    load(model, weights, paths)
    assert all((array == weights[path]).all() for path, array in save(model, paths).items())

    (field,) = program.graphs[name].inputs
    (wanted,) = run(program, name, {field.name: x}, weights).values()
    found = {"eager": off(ops.convert_to_numpy(model(x, training=False)), wanted)}
    found["compiled"] = off(model.predict(x, batch_size=2, verbose=0), wanted)
    if name == "Classifier":
        found.update(moving_statistics(program, name, model, x, weights, paths))
    model.compile(optimizer="adam", loss="mse")
    history = model.fit(x, np.zeros_like(wanted), batch_size=2, epochs=2, verbose=0).history
    found["a loss that is not a number"] = float(not np.isfinite(history["loss"]).all())
    return found


def moving_statistics(
    program: Program, name: str, model: Any, x: Any, weights: dict[str, Any], paths: Any
) -> dict[str, float]:
    """How far the running mean and variance are from those of PyTorch after one step in training mode."""
    from keras import ops

    from tests.keras_weights import save

    first = Builder("First")
    image = first.input("image", "f32[N, 3, 8, 8]")
    h = first.relu(first.Conv2d(8, 3, padding="same", name="stem")(image))
    first.output("h", first.Conv2d(8, 3, padding=1, bias=False, name="conv1")(h))
    start = {"stem.weight": weights["stem.weight"], "stem.bias": weights["stem.bias"]}
    start["conv1.weight"] = weights["stage.0.conv1.weight"]
    (h,) = run(Program(graphs={"F": first.build()}), "F", {"image": x}, start).values()
    model(ops.convert_to_tensor(x), training=True)
    after = save(model, paths)
    prefix = "stage.0.bn1.running_"
    mean = 0.9 * weights[prefix + "mean"] + 0.1 * h.mean((0, 2, 3))
    var = 0.9 * weights[prefix + "var"] + 0.1 * h.var((0, 2, 3), ddof=1)
    return {"mean": off(after[prefix + "mean"], mean), "variance": off(after[prefix + "var"], var)}


def off(found: Any, wanted: Any) -> float:
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


if __name__ == "__main__":
    print(json.dumps({name: measure(name) for name in MODELS}))

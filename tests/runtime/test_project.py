"""Printed projects, run: side by side, in their own process, and with weights that travel between frameworks."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.ops.optimizers import SGD, Momentum
from dlspec.runtime.project import MODULES, Project, ProjectError, load_project, run_training, write_project
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import load_weights, save_weights
from tests.emit import samples

pytestmark = pytest.mark.slow


def project(program: Program, backend: str) -> Project:
    return load_project(print_project(program, next(iter(program.trainings)), load_backend(backend)))


def folder(program: Program, backend: str, path: Path) -> Path:
    """The project as the command line writes it, with its initial weights."""
    name = next(iter(program.trainings))
    write_project(print_project(program, name, load_backend(backend)), path)
    if name in program.models:
        save_weights(path / "weights.safetensors", draw_weights(program, name))
    return path


def first_batch(live: Project) -> dict[str, Any]:
    return next(live.data.batches(live.data.load("train"), 8))


def test_side_by_side() -> None:
    before = {name: sys.modules.get(name) for name in MODULES}
    one = project(samples.classifier(samples.mlp), "torch")
    two = project(samples.classifier(samples.mlp), "keras")
    assert {name: sys.modules.get(name) for name in MODULES} == before
    assert one.model.MLP is not two.model.MLP
    assert one.train.data is one.data
    assert two.train.data is two.data


def test_a_project_that_fails_leaves_nothing() -> None:
    before = set(sys.modules)
    with pytest.raises(ZeroDivisionError):
        load_project({"data.py": "x = 1 / 0\n"})
    assert {name for name in set(sys.modules) - before if "project" in name} == set()
    with pytest.raises(ProjectError, match="no printed project"):
        load_project({})


@pytest.mark.parametrize("make", [samples.zoo, samples.classifier])
def test_weights_travel(tmp_path: Path, make: Any) -> None:
    program = make()
    (name,) = program.trainings
    rng = np.random.default_rng(0)
    drawn = {
        path: rng.uniform(0.1, 0.5, array.shape).astype(np.float32)
        for path, array in draw_weights(program, name).items()
    }
    save_weights(tmp_path / "given.safetensors", drawn)
    outputs = {}
    for backend in ("torch", "keras"):
        live = project(program, backend)
        training = live.new_training()
        live.weights.load(training.model, tmp_path / "given.safetensors")
        live.weights.save(training.model, tmp_path / backend)
        saved = load_weights(tmp_path / backend)
        assert saved.keys() == drawn.keys()
        assert all(np.array_equal(saved[path], drawn[path]) for path in drawn)
        outputs[backend] = training.evaluate(first_batch(live))
    assert outputs["torch"] == pytest.approx(outputs["keras"], rel=1e-5)


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_wrong_weights_are_refused(tmp_path: Path, backend: str) -> None:
    live = project(samples.classifier(samples.mlp), backend)
    model = live.new_training().model
    drawn = draw_weights(samples.classifier(samples.mlp), "MLP")
    save_weights(tmp_path / "more", {**drawn, "extra": np.zeros(1, np.float32)})
    with pytest.raises(ValueError, match="extra"):
        live.weights.load(model, tmp_path / "more")
    save_weights(tmp_path / "other", {**drawn, "linear1.bias": np.zeros(3, np.float32)})
    with pytest.raises(ValueError, match="shape"):
        live.weights.load(model, tmp_path / "other")


STEPPED = {
    "cnn with Adam": samples.classifier,
    "sparse gradients": lambda: samples.zoo(SGD(lr=0.01, momentum=0.9, weight_decay=1e-3)),
    "sparse gradients with Momentum": lambda: samples.zoo(Momentum(lr=0.01)),
}


@pytest.mark.parametrize("make", STEPPED.values(), ids=STEPPED.keys())
def test_same_steps_on_both(tmp_path: Path, make: Any) -> None:
    program = make()
    save_weights(tmp_path / "start", draw_weights(program, next(iter(program.trainings))))
    ends = []
    for backend in ("torch", "keras"):
        live = project(program, backend)
        training = live.new_training()
        live.weights.load(training.model, tmp_path / "start")
        columns = live.data.load("train")
        batches = list(live.data.batches(columns, 32))[:5]
        for batch in batches:
            step(training, batch)
        live.weights.save(training.model, tmp_path / backend)
        ends.append(load_weights(tmp_path / backend))
    for name, array in ends[0].items():
        assert np.abs(array - ends[1][name]).max() <= 1e-4 * np.abs(array).max(), name


def step(training: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """One update; PyTorch takes tensors."""
    return training.train_step(training.tensors(batch) if hasattr(training, "tensors") else batch)


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_several_models(tmp_path: Path, backend: str) -> None:
    live = project(samples.gan(), backend)
    training = live.new_training()
    live.weights.load(training, _gan_weights(tmp_path))
    batch = first_batch(live)
    before = _weights(live, training, tmp_path)
    losses = step(training, batch)
    after = _weights(live, training, tmp_path)
    assert set(losses) == {"discriminator", "generator"}
    assert all(not np.array_equal(before[name], after[name]) for name in before)
    assert set(training.evaluate(batch)) == {"discriminator", "generator"}


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_step_changes_only_what_it_updates(tmp_path: Path, backend: str) -> None:
    program = samples.gan()
    gan = program.trainings["GAN"]
    only = gan.model_copy(update={"steps": gan.steps[:1]})
    live = project(program.model_copy(update={"trainings": {"GAN": only}}), backend)
    training = live.new_training()
    live.weights.load(training, _gan_weights(tmp_path))
    batch = first_batch(live)
    before = _weights(live, training, tmp_path)
    step(training, batch)
    after = _weights(live, training, tmp_path)
    for name in before:
        assert np.array_equal(before[name], after[name]) == name.startswith("G."), name


def _gan_weights(path: Path) -> Path:
    program = samples.gan()
    drawn = {
        f"{short}.{name}": array
        for short, model in program.trainings["GAN"].models.items()
        for name, array in draw_weights(program, model).items()
    }
    save_weights(path / "gan", drawn)
    return path / "gan"


def _weights(live: Project, root: Any, path: Path) -> dict[str, Any]:
    live.weights.save(root, path / "now")
    return load_weights(path / "now")


def test_runs_are_equal_to_the_bit(tmp_path: Path) -> None:
    code = folder(samples.classifier(samples.mlp), "torch", tmp_path / "code")
    lines: list[str] = []
    for run in ("one", "two"):
        arguments = ["--epochs", "2", "--seed", "3", "--out", str(tmp_path / run)]
        run_training(code, arguments, on_line=lines.append)
    one, two = ((tmp_path / run / "weights.safetensors").read_bytes() for run in ("one", "two"))
    assert one == two
    assert len(lines) == 4
    assert lines[0].startswith("epoch 1/2  loss ")
    metrics = json.loads((tmp_path / "one" / "metrics.json").read_text())
    assert len(metrics["history"]) == 2
    assert set(metrics["results"]) == {"train", "test"}
    assert set(metrics["results"]["test"]) == {"loss", "accuracy"}


def test_keras_runs_by_itself(tmp_path: Path) -> None:
    code = folder(samples.classifier(samples.mlp), "keras", tmp_path / "code")
    lines: list[str] = []
    run_training(code, ["--epochs", "1", "--out", str(tmp_path / "run")], on_line=lines.append)
    assert len(lines) == 1
    assert (tmp_path / "run" / "weights.safetensors").is_file()


def test_failures_say_why(tmp_path: Path) -> None:
    code = folder(samples.classifier(samples.mlp), "torch", tmp_path / "code")
    with pytest.raises(ProjectError, match="unrecognized arguments: --nonsense"):
        run_training(code, ["--nonsense"])

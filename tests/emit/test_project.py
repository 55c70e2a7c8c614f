"""Printed projects: formatted, clean, safe from hostile names, and the same shape on both frameworks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from dlspec.diagnostics import SpecError
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import model_class, print_project
from dlspec.ir.builder import Builder
from dlspec.ir.data import DataSet, Source
from dlspec.ir.graph import Program
from dlspec.ir.training import Step, Training
from dlspec.ir.types import parse_type
from dlspec.ops.optimizers import SGD, Adagrad, AdamW, Momentum, Optimizer, RMSprop
from dlspec.runtime.project import write_project
from tests.emit import samples

FILES = ["model.py", "data.py", "train.py", "weights.py"]
PROGRAMS = {
    "cnn": samples.classifier,
    "rnn": lambda: samples.classifier(samples.rnn, Momentum(lr=0.1)),
    "sgd": lambda: samples.classifier(samples.mlp, SGD(lr=0.1, momentum=0.9, weight_decay=1e-4, nesterov=True)),
    "adamw": lambda: samples.classifier(samples.mlp, AdamW(lr=0.001)),
    "rmsprop": lambda: samples.classifier(samples.mlp, RMSprop(lr=0.001, centered=True)),
    "adagrad": lambda: samples.classifier(samples.mlp, Adagrad(lr=0.01, lr_decay=1e-3)),
    "gan": samples.gan,
    "zoo": samples.zoo,
}  # fmt: skip
HOSTILE = [
    "train",
    "Training",
    "Adam",
    "torch",
    "class",
    "it's",
    'say "hi"',
    "{{ x }}",
    "new\nline",
    "self",
    "data",
]


def files(program: Program, backend: str) -> dict[str, str]:
    return print_project(program, next(iter(program.trainings)), load_backend(backend))


def complaints(folder: Path) -> str:
    """What ruff has to say, with the settings of a stranger."""
    said = ""
    for arguments in (
        ["format", "--isolated", "--diff"],
        ["check", "--isolated", "--select", "E4,E7,E9,F,I,B,UP"],
    ):
        command = [sys.executable, "-m", "ruff", *arguments]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        said += run.stdout + run.stderr if run.returncode else ""
    return said


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_as_ruff_would_leave_it(tmp_path: Path, backend: str) -> None:
    for name, program in PROGRAMS.items():
        printed = files(program(), backend)
        assert list(printed) == FILES
        write_project(printed, tmp_path / name)
        assert complaints(tmp_path / name) == ""


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_does_not_mention_dlspec(backend: str) -> None:
    for text in files(samples.gan(), backend).values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                assert not any(name.startswith("dlspec") for name in names)


def test_data_is_the_same_for_both() -> None:
    program = samples.classifier()
    assert files(program, "torch")["data.py"] == files(program, "keras")["data.py"]


def test_a_model_alone() -> None:
    program = samples.classifier().model_copy(update={"trainings": {}})
    printed = print_project(program, "Classifier", load_backend("torch"))
    assert list(printed) == ["model.py", "weights.py"]
    assert model_class(program, "Classifier", load_backend("torch")) == "Classifier"


def test_unknown_training() -> None:
    with pytest.raises(SpecError, match="no training and no model `Nothing`"):
        print_project(samples.classifier(), "Nothing", load_backend("torch"))


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(tmp_path: Path, name: str, backend: str) -> None:
    printed = files(hostile(name), backend)
    for text in printed.values():
        ast.parse(text)
    write_project(printed, tmp_path)
    assert complaints(tmp_path) == ""


def hostile(name: str) -> Program:
    """Everything is called `name`: two models, their columns, steps, metrics, data, split."""
    graphs = {}
    for key in ("A", "B"):
        b = Builder(f"{name}{key}" if key == "B" else name)
        b.output(name, b.Linear(3, name=name)(b.input(name, "f32[N, 4]")))
        graphs[key] = b.build()
    for key in ("first", "second"):
        b = Builder("step")
        x = b.input(name, "f32[N, 4]")
        (y,) = b.call("A", graphs["A"], [x], name=name)
        (z,) = b.call("B", graphs["B"], [x], name=f"{name}_")
        b.output("loss", b.mean(y * z))
        graphs[key] = b.build()
    sgd: Optimizer = SGD(lr=0.1, momentum=0.9)
    training = Training(
        name=name, data=name, models={name: "A", f"{name}_": "B"}, doc=name,
        steps=(
            Step(name=name, graph="first", updates=(name,), optimizer=sgd),
            Step(name=f"{name} ", graph="second", updates=(name, f"{name}_"), optimizer=sgd),
        ),
    )  # fmt: skip
    data = DataSet(
        name=name, source=Source(kind="npz", args=(name,)), columns={name: parse_type("f32[4]")},
        split={name: 0.5, f"{name}2": 0.5}, doc=name,
    )  # fmt: skip
    return Program(graphs=graphs, models={name: "A"}, data={name: data}, trainings={name: training})

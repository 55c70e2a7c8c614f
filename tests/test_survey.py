"""The survey's specs, end to end: the same numbers everywhere, and they learn real digits.

Everything that needs the frameworks is in this one file, so that one process pays for importing them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec.ir.graph import Program

SURVEY = Path(dlspec.__file__).parent.parent / "specs" / "survey"
# spec, model, and the accuracy to reach on the 450 test images (one error is 0.0022).
BARS = {"mlp": 0.96, "cnn": 0.96, "rnn": 0.92, "attention": 0.85, "momentum": 0.96}

pytestmark = [pytest.mark.checkout, pytest.mark.slow]


def program(name: str) -> Program:
    return dlspec.load(SURVEY / f"{name}.dls").program


@pytest.mark.parametrize("double", [False, True], ids=["f32", "f64"])
@pytest.mark.parametrize("name", BARS)
def test_same_numbers(name: str, double: bool) -> None:
    from dlspec.runtime.verify import verify

    made = program(name)
    report = verify(
        made, next(iter(made.models)), backends=["torch", "keras", "onnx"], train_steps=20, double=double
    )
    assert report.ok, report
    compared = {check.what.split()[0] for check in report.checks}
    assert compared == {"outputs", "gradients", "weights"}
    assert {"PyTorch", "Keras", "ONNX", "reference"} <= {c.left for c in report.checks} | {
        c.right for c in report.checks
    } | ({"ONNX"} if double else set())


def test_the_survey_s_own_size() -> None:
    spec = dlspec.load(SURVEY / "cnn28.dls")
    assert spec.model().summary().parameters == 225_034
    assert spec.model().summary().macs == 2_631_040


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """Every spec trained by the command line on both frameworks."""
    folder = tmp_path_factory.mktemp("runs")
    found = {}
    for name in BARS:
        for backend in ("torch", "keras"):
            out = folder / f"{name}-{backend}"
            command = [
                sys.executable,
                "-m",
                "dlspec",
                "train",
                str(SURVEY / f"{name}.dls"),
                "--backend",
                backend,
            ]
            done = subprocess.run(
                [*command, "--out", str(out), "--json"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            found[name, backend] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("name", BARS)
def test_learns_digits(name: str, backend: str, runs: dict[tuple[str, str], dict[str, Any]]) -> None:
    assert runs[name, backend]["results"]["test"]["accuracy"] >= BARS[name]


@pytest.mark.parametrize("name", BARS)
def test_export_predicts_the_same(
    name: str, runs: dict[tuple[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    """The exported model, preparation inside, on the raw pixels of the whole test split."""
    from dlspec.emit.data import print_data
    from dlspec.runtime.onnx import predict, session
    from dlspec.runtime.project import load_project

    made = program(name)
    training = next(iter(made.trainings.values()))
    weights = runs[name, "torch"]["weights"]
    out = tmp_path / "model.onnx"
    command = [sys.executable, "-m", "dlspec", "export", str(SURVEY / f"{name}.dls"), "--weights", weights]
    subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)
    data = load_project({"data.py": print_data(made, made.data[training.data])}).data
    test = data.load("test")
    assert len(test["label"]) == 450
    exported = next(iter(predict(session(out), {"image": test["image"] * 16}).values()))
    module = dlspec.load(SURVEY / f"{name}.dls").model().torch(weights)
    import torch

    with torch.inference_mode():
        live = module(torch.from_numpy(test["image"])).numpy()
    assert np.array_equal(exported.argmax(1), live.argmax(1))
    accuracy = float((exported.argmax(1) == test["label"]).mean())
    assert accuracy == pytest.approx(runs[name, "torch"]["results"]["test"]["accuracy"], abs=1e-6)


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_a_printed_folder_needs_no_dlspec(backend: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dlspec", "compile", str(SURVEY / "cnn.dls"), "--to", backend]
    subprocess.run([*command, "--out", str(tmp_path / "code")], check=True, capture_output=True)
    blocked = (
        "import runpy, sys\n"
        "class Block:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name.partition('.')[0] == 'dlspec':\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "sys.path.insert(0, 'code')\n"
        "sys.argv = ['train.py', '--epochs', '1', '--out', 'out']\n"
        "runpy.run_path('code/train.py', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "weights.safetensors").is_file()


def test_weights_go_both_ways(tmp_path: Path) -> None:
    """PyTorch to Keras and back, bit for bit, through one file."""
    from dlspec.emit.manifest import load_backend
    from dlspec.emit.project import print_project
    from dlspec.runtime.project import load_project
    from dlspec.weights.draw import draw_weights
    from dlspec.weights.store import load_weights, save_weights

    for name in BARS:
        made = program(name)
        training = next(iter(made.trainings.values()))
        first = draw_weights(made, training.name, 7)
        save_weights(tmp_path / "0", first)
        for index, backend in enumerate(("torch", "keras", "torch")):
            project = load_project(print_project(made, training.name, load_backend(backend)))
            live = project.new_training()
            project.weights.load(live.model, tmp_path / str(index))
            project.weights.save(live.model, tmp_path / str(index + 1))
        last = load_weights(tmp_path / "3")
        assert {k: v.tobytes() for k, v in first.items()} == {k: v.tobytes() for k, v in last.items()}


def test_live_models_agree() -> None:
    """The Python API: a module, a Keras model, a ModelProto and a session, from one spec without files."""
    import torch

    model = dlspec.load(SURVEY / "cnn.dls").model()
    x = np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)
    with torch.inference_mode():
        torch_y = model.torch()(torch.from_numpy(x)).numpy()
    keras_y = np.asarray(model.keras()(x, training=False))
    (onnx_y,) = model.session().run(None, {"image": x})
    assert model.onnx().opset_import[0].version == 21
    scale = np.abs(torch_y).max()
    assert np.abs(torch_y - keras_y).max() <= 1e-5 * scale
    assert np.abs(torch_y - onnx_y).max() <= 1e-5 * scale


def test_verify_fails_beyond_tolerance() -> None:
    command = [sys.executable, "-m", "dlspec", "verify", str(SURVEY / "mlp.dls"), "--backends", "torch,onnx"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert subprocess.run([*command, "--tolerance", "0"], capture_output=True, check=False).returncode == 1

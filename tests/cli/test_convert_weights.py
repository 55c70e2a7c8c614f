"""`dlspec convert-weights`, and trainings that begin with its like: from files to files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file, save_file

import dlspec
from dlspec.cli import cli

SPEC = """
model Net(classes = 3, eps = 1e-5) {
  input x: f32[N, 4]
  output logits = x -> Linear(6) -> relu -> LayerNorm(eps = eps) -> Linear(classes)
}

data Flowers {
  source  = sklearn("iris")
  columns = { x: f32[4], label: i64 }
}

train Net on Flowers {
  loss      = cross_entropy(logits, label)
  optimizer = SGD(lr = 0.1)
  init_from = weights("theirs.safetensors", mapping = "theirs")
}
"""
MAPPING = """# Theirs.
ignore = ["steps"]

[needs]
eps = 1e-5

[weights]
"linear1.weight" = { from = "up.w", layout = "i o -> o i" }
"linear1.bias"   = "up.b"
"linear{n}"      = "down"
"norm"           = "ln"
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec, a mapping beside it, and a file with those names, in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.dls").write_text(SPEC)
    (tmp_path / "net.theirs.toml").write_text(MAPPING)
    save_file(theirs(), tmp_path / "theirs.safetensors")
    return tmp_path / "net.dls"


def ours() -> dict[str, np.ndarray]:
    return dlspec.loads(SPEC).model().weights(seed=5)


def theirs() -> dict[str, np.ndarray]:
    w = ours()
    return {
        "up.w": w["linear1.weight"].T.copy(), "up.b": w["linear1.bias"], "down.weight": w["linear2.weight"],
        "down.bias": w["linear2.bias"], "ln.weight": w["norm.weight"], "ln.bias": w["norm.bias"],
        "steps": np.array(3),
    }  # fmt: skip


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def refused(*arguments: object) -> list[dict[str, Any]]:
    """The errors of a command that leaves nothing behind."""
    before = sorted(Path().iterdir())
    result = run(*arguments, "--json")
    assert result.exit_code == 1, result.output
    assert sorted(Path().iterdir()) == before
    return json.loads(result.stdout)["diagnostics"]


def same(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray]) -> None:
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)


COMMAND = ("convert-weights", "net.dls", "--from", "theirs.safetensors", "--out", "w.safetensors")


def test_convert(spec: Path) -> None:
    result = run(*COMMAND, "--mapping", "theirs")
    assert result.stdout == "w.safetensors: 6 weights of `Net`; not used: steps\n"
    same(load_file("w.safetensors"), ours())
    (again,) = refused(*COMMAND, "--mapping", "theirs")
    assert again["code"] == "DLS0802"
    answer = json.loads(run(*COMMAND, "--mapping", "theirs", "--force", "--json").stdout)
    assert answer == {"ok": True, "file": "w.safetensors", "weights": 6, "ignored": ["steps"]}


def test_fresh_layers(spec: Path) -> None:
    five = ("--set", "Net.classes=5", "--mapping", "theirs")
    assert [d["code"] for d in refused(*COMMAND, *five)] == ["DLS0734"]
    assert run(*COMMAND, *five, "--fresh", "linear2", "--seed", "1").exit_code == 0
    found = load_file("w.safetensors")
    drawn = dlspec.loads(SPEC, set={"Net.classes": 5}).model().weights(seed=1)
    np.testing.assert_array_equal(found["linear2.weight"], drawn["linear2.weight"])
    np.testing.assert_array_equal(found["norm.weight"], ours()["norm.weight"])


def test_what_is_told_when_it_does_not_fit(spec: Path) -> None:
    missing, left = refused(*COMMAND)
    assert (missing["code"], left["code"]) == ("DLS0733", "DLS0733")
    assert "--mapping" in left["hint"]
    (other,) = refused(*COMMAND, "--mapping", "their")
    assert (other["code"], other["hint"]) == ("DLS0731", "did you mean `theirs`?")
    (computed,) = refused(*COMMAND, "--mapping", "theirs", "--set", "Net.eps=1e-3")
    assert (computed["code"], computed["hint"]) == ("DLS0735", "give `--set Net.eps=1e-05`")
    Path("theirs.safetensors").write_bytes(Path("theirs.safetensors").read_bytes()[:-8])
    (cut,) = refused(*COMMAND, "--mapping", "theirs")
    assert cut["code"] == "DLS0711"


def test_errors_of_a_mapping_are_shown_in_it(spec: Path) -> None:
    Path("net.theirs.toml").write_text(MAPPING.replace("from =", "form ="))
    told = run(*COMMAND, "--mapping", "theirs").stderr
    assert '8 | "linear1.weight" = { form = "up.w", layout = "i o -> o i" }' in told
    assert "did you mean `from`?" in told


def test_a_training_begins_with_them(spec: Path) -> None:
    compile_it = ("compile", spec, "--to", "torch", "--out", "code", "--force")
    assert run(*compile_it).exit_code == 0
    same(load_file("code/weights.safetensors"), ours())
    spec.write_text(
        SPEC.replace("classes = 3", "classes = 7").replace('"theirs")', '"theirs", fresh = ["linear2"])')
    )
    assert run(*compile_it, "--seed", "4").exit_code == 0
    found = load_file("code/weights.safetensors")
    np.testing.assert_array_equal(found["linear1.weight"], ours()["linear1.weight"])
    assert found["linear2.bias"].shape == (7,)
    Path("theirs.safetensors").unlink()
    assert "DLS0711" in run(*compile_it).stderr
    assert [d["code"] for d in refused("compile", spec, "--to", "torch", "--out", "new")] == ["DLS0711"]
    assert run(*compile_it, "--no-weights").exit_code == 0


def test_no_framework_is_imported(spec: Path) -> None:
    program = (
        "import sys; from dlspec.cli import main; sys.argv[1:] = sys.argv[1].split()\n"
        "try: main()\nfinally: print(*sys.modules)"
    )
    command = " ".join([*COMMAND, "--mapping", "theirs"])
    done = subprocess.run(
        [sys.executable, "-c", program, command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not {"torch", "keras", "tensorflow", "onnxruntime", "h5py"} & set(done.stdout.split())


TWO = """
model Maker { input z: f32[N, 4]  output x = z -> Linear(4) }
model Judge { input x: f32[N, 4]  output real = x -> Linear(1) }
data Flowers { source = sklearn("iris")  columns = { x: f32[4], label: i64 } }
train Gan on Flowers {
  models    = { G: Maker, D: Judge }
  init_from = INIT
  step judge updates D with SGD(lr = 0.1) { minimize mean(D(G(x))) }
}
"""


@pytest.mark.parametrize("init", ['{ D: "judge.safetensors" }', '"both.safetensors"'])
def test_each_model_of_several(init: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    models = dlspec.loads(TWO.replace("INIT", '"both.safetensors"'))
    judge = models.model("Judge").weights(seed=8)
    maker = models.model("Maker").weights(seed=9)
    save_file(judge, "judge.safetensors")
    save_file(
        {f"D.{n}": a for n, a in judge.items()} | {f"G.{n}": a for n, a in maker.items()}, "both.safetensors"
    )
    Path("gan.dls").write_text(TWO.replace("INIT", init))
    assert run("compile", "gan.dls", "--to", "torch", "--out", "code", "--seed", "3").exit_code == 0
    found = load_file("code/weights.safetensors")
    same({n: a for n, a in found.items() if n.startswith("D.")}, {f"D.{n}": a for n, a in judge.items()})
    assert np.array_equal(found["G.linear.weight"], maker["linear.weight"]) == ("both" in init)


@pytest.mark.slow
def test_train_with_them(spec: Path) -> None:
    pytest.importorskip("torch")
    assert run("train", spec, "--out", "run", "--epochs", "1").exit_code == 0
    same(load_file("run/code/weights.safetensors"), ours())

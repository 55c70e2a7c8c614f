"""Every command: its exit codes, its JSON, what it writes and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dlspec.cli import COMMANDS, cli

SPEC = """
let width = 8

model Net(classes = 3) {
  input x: f32[N, 4]
  output logits = x -> Linear(width) -> relu -> Linear(classes)
}

data Flowers {
  source  = sklearn("iris")
  columns = { x: f32[4], label: i64 }
  split   = { train: 0.8, test: 0.2 }
  prepare { x = x / 8 }
}

train Net on Flowers {
  loss      = cross_entropy(logits, label)
  optimizer = Adam(lr = 1e-2)
  metrics   = { accuracy: accuracy(logits, label) }
  epochs    = 3
}

export Net { prepare = Flowers }
"""
BROKEN = "model Net { input x: f32[N, 4]  output x -> Liner(2) -> reluu }"


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A good spec in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.dls"
    path.write_text(SPEC)
    return path


@pytest.fixture
def weights(spec: Path, tmp_path: Path) -> Path:
    """Initial weights, as `compile` writes them."""
    assert run("compile", spec, "--to", "torch", "--out", tmp_path / "code").exit_code == 0
    return tmp_path / "code" / "weights.safetensors"


def run(*arguments: object) -> Result:
    """A command; nothing but an exit may come out of it."""
    result = CliRunner().invoke(cli, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def refused(code: str, *arguments: object) -> Result:
    """A command that ends with a diagnostic: exit 1, on stderr, or as JSON on stdout."""
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert f"error[{code}]" in result.stderr
    assert not result.stdout
    as_json = run(*arguments, "--json")
    assert as_json.exit_code == 1
    answer = json.loads(as_json.stdout)
    assert not answer["ok"]
    assert code in [d["code"] for d in answer["diagnostics"]]
    return result


def answer(*arguments: object) -> dict:
    """The JSON that a command answers."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


# --- usage -----------------------------------------------------------------------------------------------


def test_help_lists_every_command() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")


def test_an_unknown_command_has_a_suggestion() -> None:
    result = run("sumary")
    assert result.exit_code == 2
    assert "Did you mean `summary`?" in result.stderr
    assert "Did you mean" not in run("zzzzzz").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["check"], ["summary"], ["compile", "net.dls"], ["check", "--no-such-option", "net.dls"], ["ir"],
        ["train", "net.dls", "--backend", "jax"], ["train", "net.dls", "--epochs", "0"], ["predict", "net.dls"],
        ["evaluate", "net.dls"], ["export", "net.dls", "--seed", "-1"], ["verify", "net.dls", "--backends", "jax"],
        ["check", "net.dls", "--set", "width"], ["check", "net.dls", "--set", "=3"],
        ["check", "net.dls", "--set", "width="],
        ["predict", "net.dls", "--weights", "w", "--input", "x", "--top-k", "2"],
        ["predict", "net.dls", "--weights", "w", "--input", "x", "--split", "test", "--generate", "a"],
        ["predict", "net.dls", "--weights", "w"],
        ["predict", "net.dls", "--weights", "w", "--out", "x", "--generate", "a"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_exits_with_2(spec: Path, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Error: " in result.stderr


@pytest.mark.parametrize("command", ["check", "summary", "ir"])
def test_a_missing_file_is_told(command: str, tmp_path: Path) -> None:
    refused("DLS0112", command, tmp_path / "missing.dls")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\x00", b"let x = \xc3"])
def test_a_file_that_is_no_text_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.dls"
    path.write_bytes(content)
    result = run("check", path)
    assert result.exit_code == 1
    assert "error[DLS0" in result.stderr


# --- check, summary, ir, explain -------------------------------------------------------------------------


def test_check(spec: Path) -> None:
    result = run("check", spec)
    assert result.exit_code == 0
    assert result.stdout == f"{spec}: fine (model Net; data Flowers; train Net)\n"
    assert answer("check", spec) == {"ok": True, "diagnostics": []}


def test_check_tells_all_errors_of_all_files(spec: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.dls").write_text(BROKEN)
    result = run("check", spec, "broken.dls")
    assert result.exit_code == 1
    assert "net.dls: fine" in result.stdout
    assert result.stderr.count("error[DLS0201]") == 2
    assert "2 errors" in result.stderr
    assert "did you mean `Linear`?" in result.stderr
    found = json.loads(run("check", "broken.dls", "--json").stdout)["diagnostics"]
    assert [d["place"]["start"]["line"] for d in found] == [1, 1]


def test_summary(spec: Path) -> None:
    result = run("summary", spec)
    assert result.exit_code == 0
    assert "Net: x: f32[N, 4] -> logits: f32[N, 3]" in result.stdout
    assert "67 parameters" in result.stdout
    assert answer("summary", spec)["parameters"] == 67


def test_set_changes_lets_and_parameters(spec: Path) -> None:
    assert answer("summary", spec, "--set", "width=2", "--set", "Net.classes = 1 + 1")["parameters"] == 10 + 6
    assert "did you mean `width`" in refused("DLS0803", "check", spec, "--set", "widht=2").stderr
    refused("DLS0207", "check", spec, "--set", 'width="wide"')
    refused("DLS0201", "check", spec, "--set", "width=__import__")
    refused("DLS0803", "check", spec, "--set", "width=1 let x = 2")


def test_models_are_chosen_by_name(spec: Path) -> None:
    spec.write_text(SPEC + "model Other { input x: f32[N, 2]  output x -> Linear(1) }")
    assert answer("summary", spec, "--model", "Other")["parameters"] == 3
    assert "`Net`, `Other`" in refused("DLS0801", "summary", spec).stderr
    assert "did you mean `Other`?" in refused("DLS0801", "summary", spec, "--model", "other").stderr


def test_ir(spec: Path) -> None:
    program = answer("ir", spec)
    assert program["models"] == {"Net": "Net"}
    assert json.loads(run("ir", spec).stdout) == program
    assert answer("ir", "--schema")["title"] == "Program"


def test_draw(spec: Path, tmp_path: Path) -> None:
    shown = run("draw", spec)
    assert shown.stdout.startswith("<svg ")
    assert all(word in shown.stdout for word in ("Net", "Linear", "relu", "logits"))
    out = tmp_path / "net.svg"
    assert run("draw", spec, "--out", out).exit_code == 0
    assert out.read_text(encoding="utf-8") == shown.stdout
    refused = run("draw", spec, "--out", out)
    assert refused.exit_code == 1
    assert "DLS0802" in refused.stderr
    assert run("draw", spec, "--out", out, "--force").exit_code == 0


def test_specs() -> None:
    rows = json.loads(run("specs", "--json").stdout)
    row = next(row for row in rows if row["spec"] == "survey/cnn")
    assert row["models"] == {"Classifier": 53_002}
    assert row["about"]
    assert "survey/cnn" in run("specs").stdout
    path = Path(run("specs", "--path", "survey/cnn").stdout.strip())
    assert path == Path(row["path"])
    assert run("specs", "cnn").stdout == path.read_text(encoding="utf-8")
    assert run("specs", "--path").exit_code == 2
    refused = run("specs", "survey/cmn")
    assert refused.exit_code == 1
    assert "did you mean `survey/cnn`?" in refused.stderr


def test_shipped_specs_go_wherever_specs_go() -> None:
    assert run("check", "zoo:survey/cnn").exit_code == 0
    assert json.loads(run("summary", "zoo:cnn", "--json").stdout)["parameters"] == 53_002
    assert "DLS0810" in run("summary", "zoo:nothing").stderr


def test_explain() -> None:
    known = answer("explain")
    assert "DLS0201" in known
    result = run("explain", "dls0201")
    assert result.exit_code == 0
    assert result.stdout.startswith("DLS0201: ")
    assert answer("explain", "DLS0201")["code"] == "DLS0201"
    refused("DLS0804", "explain", "DLS9999")


# --- compile ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("backend", "shown"), [("torch", "nn.Linear"), ("keras", "layers.Dense"), ("onnx", "Gemm")]
)
def test_compile_shows_the_model(spec: Path, backend: str, shown: str) -> None:
    result = run("compile", spec, "--to", backend)
    assert result.exit_code == 0
    assert shown in result.stdout
    assert sorted(Path().iterdir()) == [Path("net.dls")]


@pytest.mark.parametrize(
    ("backend", "files"),
    [
        ("torch", {"model.py", "data.py", "train.py", "weights.py", "weights.safetensors"}),
        ("keras", {"model.py", "data.py", "train.py", "weights.py", "weights.safetensors"}),
        ("onnx", {"model.onnxtxt", "model.onnx", "infer.py"}),
    ],
)
def test_compile_writes_a_folder(spec: Path, tmp_path: Path, backend: str, files: set[str]) -> None:
    out = tmp_path / "deep" / "code"
    written = answer("compile", spec, "--to", backend, "--out", out)
    assert set(written["files"]) >= files
    assert {path.name for path in out.iterdir()} == set(written["files"])
    bare = tmp_path / "bare"
    assert run("compile", spec, "--to", backend, "--out", bare, "--no-weights").exit_code == 0
    assert {path.suffix for path in bare.iterdir()} <= {".py", ".onnxtxt"}


def test_compile_prints_a_training_of_several_models(spec: Path, tmp_path: Path) -> None:
    spec.write_text(
        SPEC.replace("train Net on Flowers {\n", "train Two on Flowers {\n  models = { a: Net, b: Net(2) }\n")
        .replace("  loss      = cross_entropy(logits, label)\n  optimizer = Adam(lr = 1e-2)\n", "")
        .replace("accuracy(logits, label)", "accuracy(a(x), label)")
        .replace("epochs    = 3", "step one updates a, b with Adam { minimize mean(a(x)) - mean(b(x)) }")
    )  # fmt: skip
    written = answer("compile", spec, "--to", "torch", "--out", tmp_path / "code")
    assert {"train.py", "weights.safetensors"} <= set(written["files"])
    alone = answer("compile", spec, "--to", "torch", "--out", tmp_path / "alone", "--model", "Net")
    assert "train.py" not in alone["files"]


def test_compile_overwrites_nothing_unasked(spec: Path, tmp_path: Path) -> None:
    out = tmp_path / "code"
    out.mkdir()
    (out / "model.py").write_text("mine")
    refused("DLS0802", "compile", spec, "--to", "torch", "--out", out)
    assert (out / "model.py").read_text() == "mine"
    assert run("compile", spec, "--to", "torch", "--out", out, "--force").exit_code == 0
    assert (out / "model.py").read_text() != "mine"
    refused("DLS0802", "compile", spec, "--to", "torch", "--out", spec)
    assert spec.read_text() == SPEC


def test_compile_needs_a_backend_that_there_is(spec: Path) -> None:
    refused("DLS0701", "compile", spec, "--to", "jax")


# --- export, predict, evaluate ---------------------------------------------------------------------------


def test_export_writes_a_model_that_runs(spec: Path, weights: Path, tmp_path: Path) -> None:
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    out = tmp_path / "models" / "net.onnx"
    assert answer("export", spec, "--weights", weights, "--out", out)["files"] == [str(out)]
    onnx.checker.check_model(str(out), full_check=True)
    session = onnxruntime.InferenceSession(str(out))
    (logits,) = session.run(None, {"x": np.ones((5, 4), "float32")})
    assert logits.shape == (5, 3)
    refused("DLS0802", "export", spec, "--out", out)
    refused("DLS0807", "export", spec, "--out", tmp_path / "models", "--force")
    refused("DLS0808", "export", spec, "--out", tmp_path / "huge.onnx", "--set", "width=1000000000000")
    assert "initial" in run("export", spec, "--out", out, "--force").stdout


def test_export_takes_weights_that_fit_only(spec: Path, weights: Path, tmp_path: Path) -> None:
    result = run("export", spec, "--weights", weights, "--set", "width=9")
    assert result.exit_code == 1
    assert "error[DLS0" in result.stderr
    assert run("export", spec, "--weights", tmp_path / "none.safetensors").exit_code == 1
    (tmp_path / "bad.safetensors").write_bytes(b"no weights")
    assert run("export", spec, "--weights", "bad.safetensors").exit_code == 1
    assert not Path("Net.onnx").exists()


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_predict(spec: Path, weights: Path, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("onnxruntime")
    x = np.arange(8, dtype="float32").reshape(2, 4)
    source = tmp_path / f"x{suffix}"
    np.save(source, x) if suffix == ".npy" else np.savez(source, x=x)
    predict = ("predict", spec, "--weights", weights, "--input", source)
    logits = np.array(answer(*predict)["outputs"]["logits"])
    assert logits.shape == (2, 3)
    assert "logits: float32 [2, 3]" in run(*predict).stdout
    out = tmp_path / "out.npz"
    assert run(*predict, "--out", out).exit_code == 0
    np.testing.assert_allclose(np.load(out)["logits"], logits, rtol=1e-6)
    refused("DLS0802", *predict, "--out", out)
    refused("DLS0807", *predict, "--out", tmp_path / "missing" / "out.npz")


def test_predict_tells_what_does_not_fit(spec: Path, weights: Path, tmp_path: Path) -> None:
    predict = ("predict", spec, "--weights", weights, "--input")
    np.save(tmp_path / "wide.npy", np.ones((2, 5), "float32"))
    assert "[2, 5]" in refused("DLS0722", *predict, "wide.npy").stderr
    np.savez(tmp_path / "other.npz", y=np.ones((2, 4)))
    assert "no array `x`" in refused("DLS0722", *predict, "other.npz").stderr
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused("DLS0722", *predict, "objects.npy")
    np.save(tmp_path / "complex.npy", np.ones((2, 4), "complex64"))
    assert "complex64" in refused("DLS0722", *predict, "complex.npy").stderr
    (tmp_path / "text.npy").write_text("no array")
    refused("DLS0722", *predict, "text.npy")
    refused("DLS0722", *predict, "missing.npy")


def test_evaluate(spec: Path, weights: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("sklearn")
    found = answer("evaluate", spec, "--weights", weights)
    assert found["split"] == "test"
    assert set(found["results"]) == {"loss", "accuracy"}
    assert "accuracy" in run("evaluate", spec, "--weights", weights, "--split", "train").stdout
    refused("DLS0805", "evaluate", spec, "--weights", weights, "--split", "validation")
    refused("DLS0801", "evaluate", spec, "--weights", weights, "--name", "Other")


def test_commands_that_train_need_a_training(spec: Path, weights: Path) -> None:
    spec.write_text("model Net { input x: f32[N, 4]  output x -> Linear(2) }")
    refused("DLS0806", "train", spec)
    refused("DLS0806", "evaluate", spec, "--weights", weights)


# --- train, verify ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_train(spec: Path, tmp_path: Path, backend: str) -> None:
    out = tmp_path / "run"
    train = ("train", spec, "--backend", backend, "--epochs", "1", "--out", out)
    result = run(*train)
    assert result.exit_code == 0, result.output
    assert "epoch 1/1" in result.stdout
    assert {"code", "metrics.json", "weights.safetensors"} <= {path.name for path in out.iterdir()}
    trained = answer("evaluate", spec, "--weights", out / "weights.safetensors")["results"]
    recorded = json.loads((out / "metrics.json").read_text())["results"]["test"]
    assert trained == pytest.approx(recorded, rel=1e-4)
    assert "trained before" in run(*train).stdout
    refused("DLS0802", *train, "--seed", "7")


@pytest.mark.slow
def test_verify(spec: Path) -> None:
    result = answer("verify", spec, "--backends", "torch,onnx")
    assert result["ok"]
    assert run("verify", spec, "--backends", "torch,onnx", "--tolerance", "0").exit_code == 1


def test_a_framework_that_is_not_installed(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    result = refused("DLS0809", "train", spec, "--out", "run")
    assert "dlspec[torch]" in result.stderr
    assert not Path("run").exists()

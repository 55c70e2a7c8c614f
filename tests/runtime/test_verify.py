"""What verification does where single precision cannot tell two backends apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dlspec
from dlspec.ir.graph import Program
from dlspec.runtime.verify import run, verify
from dlspec.runtime.verify.sides import Keras
from dlspec.runtime.verify.trajectory import Trajectories

NET = "model Net { input x: f32[N, 4]  output y = x -> Linear(8) -> BatchNorm -> relu -> Linear(2) }"


@pytest.fixture
def program(tmp_path: Path) -> Program:
    path = tmp_path / "net.dls"
    path.write_text(NET)
    return dlspec.load(path).program


@pytest.mark.slow
def test_gradients_are_compared_in_f64_where_f32_cannot_tell(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(run.TOLERANCES, "gradients", (0.0, 1e-9))
    told: list[str] = []
    report = verify(program, "Net", backends=["torch", "keras"], tell=told.append)
    assert report.ok
    assert told[0] == "outputs by PyTorch"
    assert told[-1] == "gradients by Keras in f64"
    assert report.checks[-1].what == "gradients in f64"
    assert "as rounding to f32 makes a difference" in report.notes[-1]


@pytest.mark.slow
def test_what_is_wrong_in_f64_too_stays_wrong(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(run.TOLERANCES, "gradients", (0.0, 0.0))
    report = verify(program, "Net", backends=["torch", "keras"])
    assert not report.ok
    assert report.checks[-1].what == "gradients"
    assert not report.notes


@pytest.mark.slow
def test_a_tolerance_that_is_given_holds(program: Program) -> None:
    report = verify(program, "Net", backends=["torch", "keras"], tolerance=0.0)
    assert report.checks[-1].what == "gradients"
    assert not report.ok


OWN = """
model Net { input x: f32[N, 4]  output y = x -> Linear(2) }
data Mine { source = npz("mine.npz")  columns = { x: f32[4], label: i64 } }
train Net on Mine { loss = cross_entropy(y, label)  optimizer = Adam(lr = 1e-3) }
"""


@pytest.mark.parametrize("there", [True, False])
def test_data_of_ones_own(there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches are of the file, where it is here; else inputs are drawn, and there is no loss to take gradients of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.dls").write_text(OWN)
    if there:
        np.savez("mine.npz", x=np.ones((40, 4), np.float32), label=np.arange(40) % 2)
    report = verify(dlspec.load("net.dls").program, "Net", backends=["torch", "keras"], train_steps=2)
    assert report.ok
    assert [check.what for check in report.checks][2:] == ["gradients", "weights after 2 steps"][: 1 + there]
    assert bool(report.notes) != there


def test_data_that_does_not_fit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.dls").write_text(OWN)
    np.savez("mine.npz", x=np.ones((40, 4), np.float32))
    with pytest.raises(dlspec.SpecError, match="label: the source has no such column"):
        verify(dlspec.load("net.dls").program, "Net", backends=["torch", "keras"])


PLAYERS = """
model Maker { input z: f32[N, 4]  output image = z -> Linear(64) -> sigmoid }
model Judge { input image: f32[N, 64]  output real = image -> Dropout(0.3) -> Linear(1) }
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64] }
  prepare { image = image / 16 }
}
train Game on Digits {
  models     = { M: Maker, J: Judge, K: Judge }
  batch_size = 8
  step judging updates J, K with SGD(lr = 0.1) {
    minimize bce_with_logits(J(image), 1) + bce_with_logits(K(M(normal([N, 4]))), 0)
  }
  step making updates M with SGD(lr = 0.1) { minimize bce_with_logits(J(M(normal([N, 4]))), 1) }
}
"""


@pytest.mark.slow
def test_gradients_of_several_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.dls"
    path.write_text(PLAYERS)
    program = dlspec.load(path).program
    report = verify(program, "Maker", backends=["torch", "keras"])
    checks = [check for check in report.checks if check.what.startswith("gradients")]
    assert [check.what for check in checks] == ["gradients of Game.judging", "gradients of Game.making"]
    assert all(check.error and check.ok for check in checks)
    runs = Trajectories(program, "Game")
    judging, making = (runs.gradients(step, "keras", False) for step in runs.training.steps)
    assert {*judging} == {"J.linear.weight", "J.linear.bias", "K.linear.weight", "K.linear.bias"}
    assert all(np.abs(array).max() > 0 for array in {**judging, **making}.values())
    monkeypatch.setattr(Keras, "gradients", lambda *args: runs.start)
    assert not verify(program, "Maker", backends=["torch", "keras"]).ok


DRAWING = """
block Noisy {
  input x: [N, D]
  output x + normal([N, D], std = 0.1) + 0.1 * gumbel([N, D]) -> Dropout(0.3)
}
model Net {
  input x: f32[N, 4]
  first = x -> Noisy -> Linear(6) -> Noisy
  output y = first * bernoulli(0.7, [N, 6]) + uniform([N, 6], low = -1)
  output z = normal([3])
}
"""


@pytest.mark.slow
@pytest.mark.parametrize("double", [False, True])
def test_models_that_draw_have_all_references(tmp_path: Path, double: bool) -> None:
    path = tmp_path / "net.dls"
    path.write_text(DRAWING)
    program = dlspec.load(path).program
    report = verify(program, "Net", backends=["torch", "keras", "onnx"], double=double)
    found = [check.right for check in report.checks if check.what == "outputs"]
    assert found == ["Keras", "ONNX", "reference"]
    assert report.ok

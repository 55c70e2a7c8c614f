"""What verification does where single precision cannot tell two backends apart."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlspec
from dlspec.ir.graph import Program
from dlspec.runtime.verify import run, verify

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
    report = verify(program, "Net", backends=["torch", "keras"])
    assert report.ok
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

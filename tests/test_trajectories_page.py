"""The table of trajectories says what was measured, of the trainings that there are."""

from __future__ import annotations

import pytest

trajectories = pytest.importorskip("benchmarks.trajectories", reason="the benchmarks are in checkouts only")


def test_the_page_is_what_was_recorded() -> None:
    text = trajectories.KEPT.with_suffix(".md").read_text()
    assert text == trajectories.page(trajectories.kept(trajectories.KEPT))


def test_every_training_is_recorded_and_holds() -> None:
    kept = trajectories.kept(trajectories.KEPT)
    assert {name for name, _, _ in trajectories.trainings(trajectories.chosen(()))} == set(kept)
    assert [name for name, row in kept.items() if not trajectories.holds(row)] == []


def test_a_row_that_does_not_hold_is_seen() -> None:
    row = {"f32": 2e-5, "f64": 1e-8, "chaos": 1e-5, "tensor": "linear.weight"}
    assert "| NO |" in trajectories.page({"training/gan": row})
    assert "| in f64 |" in trajectories.page({"training/gan": row | {"f32": 2e-4, "f64": 1e-10}})
    assert not trajectories.holds({"why_not": "its data is not on every machine"})

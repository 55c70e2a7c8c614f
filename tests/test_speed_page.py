"""The table of speed says what was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

page = pytest.importorskip("benchmarks.speed.page", reason="the benchmarks are in checkouts only")
from benchmarks.speed.networks import NETWORKS, write_project  # noqa: E402

ROW = {
    "network": "mlp", "backend": "torch", "setting": "", "threads": 1, "rounds": 9, "missed": [],
    "rates": {"idiomatic": 1000, "best": 2000, "printed": 1900}, "ratios": {"idiomatic": 1.9, "best": 0.95},
    "limits": {"idiomatic": 1.5, "best": 0.97}, "memory": {"idiomatic": 3, "best": 2, "printed": 2},
}  # fmt: skip


def test_the_page_is_what_was_recorded() -> None:
    kept = json.loads((page.DOCS / "speed.json").read_text())
    assert (page.DOCS / "speed.md").read_text() == page.page(kept)


def test_a_missed_limit_is_seen() -> None:
    assert page.cells(ROW)[-3:] == ["1.90 (>= 1.5)", "**0.95** (>= 0.97, missed)", "3, 2, 2"]
    assert page.cells({**ROW, "missed": ["memory"]})[-1] == "3, 2, 2 **(higher)**"


STEPS = {"cnn": 5, "mlp": 32, "lstm": 15, "transformer": 3}
"""How many batches of each are 1 MiB, 32 at most."""


@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_measured_is_what_dlspec_chooses(network: str, backend: str, tmp_path: Path) -> None:
    write_project(network, backend, "", tmp_path)
    text = (tmp_path / "train.py").read_text()
    choices = ("fused=True",) if backend == "torch" else (f"\nSTEPS = {STEPS[network]}\n",)
    assert all(choice in text for choice in choices)
    assert ("channels_last)" in text) == (network == "cnn" and backend == "torch")

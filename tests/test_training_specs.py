"""Every spec of `specs/training/`: it states a result, and its printed trainings take steps on both frameworks."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.emit.training_names import attribute_names
from dlspec.runtime.project import load_project
from dlspec.runtime.training import initial_weights
from dlspec.weights.store import load_weights, save_weights
from dlspec.zoo import TRAINING, specs

results = pytest.importorskip("benchmarks.results", reason="the benchmarks are in checkouts only")
expected = pytest.importorskip("benchmarks.expected", reason="the benchmarks are in checkouts only")

NAMES = [name for name in specs() if name.startswith(f"{TRAINING}/")]
FINE = {"figure": "test.accuracy", "at_least": 0.9, "note": "on made-up digits, as far as that goes"}


@pytest.mark.parametrize("name", NAMES)
def test_states_a_result(name: str) -> None:
    tables = {n: e for n, e in expected.expectations().items() if expected.spec_of(n, e) == name}
    assert tables, f"{name} has no table in specs/training/results*.toml"
    lines = specs()[name].read_text("utf-8").splitlines()
    assert len(lines) <= 110, "one way of learning each, and short"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("name", NAMES)
def test_takes_steps(name: str, backend: str, tmp_path: Path) -> None:
    """Two steps on a few examples leave every loss a number."""
    program = load_program(specs()[name])
    assert program.trainings
    for training in program.trainings:
        live = load_project(print_project(program, training, load_backend(backend)))
        learner = live.new_training()
        if program.data[program.trainings[training].data].environment is not None:
            assert live.train.train(learner, tmp_path, steps=live.data.START + 4)[-1]["loss"] > 0
            continue
        columns = live.data.load("train")
        batch = next(live.data.batches(columns, 8))
        given = learner.tensors(batch) if backend == "torch" else batch
        for _ in range(2):
            losses = learner.train_step(given)
            assert losses
            assert all(math.isfinite(float(loss)) for loss in losses.values()), losses


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "keras"])
@pytest.mark.parametrize("name", ["training/dbn", "training/vae"])
def test_weights_travel(name: str, backend: str, tmp_path: Path) -> None:
    """New models take the weights of others: several of one class with different inputs, or one by itself."""
    program = load_program(specs()[name])
    *_, training = program.trainings.values()
    live = load_project(print_project(program, training.name, load_backend(backend)))
    attributes = list(attribute_names(training, load_backend(backend)).values())
    one, other = live.new_training(), live.new_training()
    roots = [getattr(t, attributes[0]) if len(attributes) == 1 else t for t in (one, other)]
    anew = training.model_copy(update={"init_from": {}})  # whatever an earlier training would hand on
    drawn = initial_weights(program, anew, 7)
    save_weights(tmp_path / "drawn", drawn)
    live.weights.load(roots[0], tmp_path / "drawn")
    live.weights.save(roots[0], tmp_path / "saved")
    live.weights.load(roots[1], tmp_path / "saved")
    live.weights.save(roots[1], tmp_path / "again")
    again = load_weights(tmp_path / "again")
    assert again.keys() == drawn.keys()
    assert all(np.array_equal(again[weight], drawn[weight]) for weight in drawn)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": 1.0},
        {"at_least": None},
        {"figure": "accuracy"},
        {"seeds": []},
        {"backends": ["torch"]},
        {"limit": 3},
    ],
)
def test_tables_are_checked(wrong: dict[str, object]) -> None:
    expected.Expected.model_validate(FINE)
    with pytest.raises(ValidationError):
        expected.Expected.model_validate(FINE | wrong)


def test_a_limit_is_held() -> None:
    least, most = (
        expected.Expected(**{**FINE, "at_least": a, "at_most": b}) for a, b in ((0.9, None), (None, 2.0))
    )
    assert [least.reached(v) for v in (0.95, 0.9, 0.89, math.nan)] == [True, True, False, False]
    assert [most.reached(v) for v in (1.0, 2.0, 2.1, math.nan)] == [True, True, False, False]


def test_a_record_keeps_the_other_framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "DOCS", tmp_path)
    table = expected.Expected(**FINE)
    row = {"figure": "test.accuracy", "limit": ">= 0.9", "value": 0.95, "reached": True, "seconds": 1.5}
    results.record("digits", table, {"torch": row})
    results.record("digits", table, {"keras": {**row, "value": 0.8, "reached": False}})
    kept = json.loads((tmp_path / "results" / "digits.json").read_text())
    assert {backend: each["value"] for backend, each in kept["backends"].items()} == {
        "torch": 0.95,
        "keras": 0.8,
    }
    assert "**0.8**, missed" in (tmp_path / "results.md").read_text()


def test_records_made_at_once_are_all_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "DOCS", tmp_path)
    row = {"figure": "test.accuracy", "limit": ">= 0.9", "value": 0.95, "reached": True, "seconds": 1.5}
    each = [(name, backend) for name in "abcd" for backend in ("torch", "keras")]
    with ThreadPoolExecutor(len(each)) as pool:
        jobs = [pool.submit(results.record, n, expected.Expected(**FINE), {b: row}) for n, b in each]
    for job in jobs:
        job.result()
    page = (tmp_path / "results.md").read_text()
    assert all(page.count(f"| {name} |") == 2 for name in "abcd"), page


def test_the_page_tells_what_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "DOCS", tmp_path)
    row = {"figure": "test.accuracy", "limit": ">= 0.9", "value": 0.95, "reached": True, "seeds": [0, 1]}
    results.record("vae", expected.Expected(**FINE), {"torch": row})
    page = (tmp_path / "results.md").read_text()
    assert "| 0.95 (2 seeds) |" in page
    assert ", vae (keras)" in page
    assert ", vae (torch)" not in page


def test_what_is_recorded_is_what_the_tables_ask_for() -> None:
    """The page says what the files say; the limits that were held to are those of the tables."""
    assert (results.DOCS / "results.md").read_text() == results.page(), "python -m benchmarks.results --page"
    for name, table in expected.expectations().items():
        path = results.DOCS / "results" / f"{name}.json"
        rows = json.loads(path.read_text())["backends"] if path.exists() else {}
        for backend, row in rows.items():
            held = row["figure"], row["limit"], tuple(row["seeds"])
            assert held == (table.figure, table.limit, table.seeds), f"{name}, {backend}: run it again"
            assert row["reached"] == (row["value"] is not None and table.reached(row["value"])), (
                f"{name}, {backend}"
            )


def test_what_was_run_otherwise_is_told() -> None:
    """By the code, the framework, and the words of the command line."""
    stages, last = ({**FINE, "spec": "training/dvae", **more} for more in ({}, {"training": "Writer"}))
    runs = [stages, last, stages | {"options": ["--epochs", "3"]}, stages | {"seeds": [1]}]
    found = [results.printed("dvae", expected.Expected.model_validate(each), "torch") for each in runs]
    assert len({*found}) == len(found)
    again = expected.Expected.model_validate(stages)
    assert results.printed("dvae", again, "torch") == found[0] != results.printed("dvae", again, "keras")

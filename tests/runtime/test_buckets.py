"""Batches of examples of about the same length: each example once, by the policy, and to the same losses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.emit.data import print_data
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.runtime.data_check import check_data
from dlspec.runtime.project import load_project
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

SPEC = """
model Judge(words = 9, width = 6) {
  input sentence: i64[N, T]
  visible = cast(sentence != 0, f32)[..., none]
  x = sentence -> Embedding(words, width, padding_idx = 0) -> transpose -> Conv1d(width, 3, padding = 1) -> transpose
  output logits = sum(tanh(x) * visible, axis = 1) / sum(visible, axis = 1) -> Linear(2)
}
data Rows {
  source     = npz("FILE")
  columns    = { sentence: i64[T], label: i64BY }
  bucket     = { T: SIZES }
  last_batch = LAST
  split      = { train: 1 }
}
train Judge on Rows {
  loss       = cross_entropy(logits, label)
  optimizer  = SGD(lr = 0.1)
  batch_size = 4
  epochs     = 2
}
"""


def program_of(folder: Path, sizes: str = "[3, 6, 12]", last: str = "keep", by: bool = False) -> Program:
    """A spec over 37 sentences of 1 to 12 words."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 13, 37)
    sentence = rng.integers(1, 9, (37, 12)) * (np.arange(12) < lengths[:, None])
    label = sentence[:, 0] % 2
    np.savez(folder / "rows.npz", sentence=sentence, label=label, long=lengths)
    text = (
        SPEC.replace("FILE", (folder / "rows.npz").as_posix()).replace("SIZES", sizes).replace("LAST", last)
    )
    if by:
        text = text.replace("BY", ", long: i64").replace(sizes, f"{sizes}, by: long")
    (folder / "net.dls").write_text(text.replace("BY", ""))
    return load_program(folder / "net.dls")


def live(program: Program) -> Any:
    project = load_project({"data.py": print_data(program, program.data["Rows"])})
    project.data.project = project  # keeps its folder
    return project.data


@pytest.mark.parametrize("by", [False, True])
def test_a_batch_is_of_one_bucket(by: bool, tmp_path: Path) -> None:
    data = live(program_of(tmp_path, by=by))
    columns = data.load("train")
    long = (columns["sentence"] != 0).sum(axis=1)
    assert np.array_equal(data.lengths(columns), long)
    for epoch in range(2):
        batches = list(data.batches(columns, 4, 0, epoch))
        assert data.batch_count(columns, 4) == len(batches)
        assert {batch["sentence"].shape[1] for batch in batches} == {3, 6, 12}
        for batch in batches:
            size = batch["sentence"].shape[1]
            lengths = (batch["sentence"] != 0).sum(axis=1)
            assert all(size == min(s for s in (3, 6, 12) if s >= n) for n in lengths)
            assert np.array_equal(batch["label"], batch["sentence"][:, 0] % 2)
        rows = [tuple(row[row > 0]) for batch in batches for row in batch["sentence"]]
        assert sorted(rows) == sorted(tuple(row[row > 0]) for row in columns["sentence"])
    first, again, other = (
        [batch["sentence"].tolist() for batch in data.batches(columns, 4, 0, epoch)] for epoch in (0, 0, 1)
    )
    assert first == again != other


@pytest.mark.parametrize("last", ["keep", "drop", "fill"])
def test_the_last_batch_of_each_bucket(last: str, tmp_path: Path) -> None:
    """By the policy in training, and all examples once when they are judged."""
    data = live(program_of(tmp_path, last=last))
    columns = data.load("train")
    counts = np.bincount(np.searchsorted([3, 6, 12], data.lengths(columns)))
    batches = list(data.batches(columns, 4))
    sizes = [len(batch["label"]) for batch in batches]
    wanted = {
        "keep": sum(math.ceil(n / 4) for n in counts),
        "drop": sum(n // 4 for n in counts),
        "fill": sum(math.ceil(n / 4) for n in counts),
    }
    assert len(batches) == wanted[last] == data.batch_count(columns, 4)
    assert (sizes == [4] * len(sizes)) == (last != "keep")
    assert sum(len(batch["label"]) for batch in data.batches(columns, 4, shuffle=False)) == 37
    if last == "drop":
        with pytest.raises(ValueError, match="no bucket has the 99 examples"):
            next(data.batches(columns, 99))


@pytest.mark.parametrize("backend", ["torch", "keras"])
def test_losses_are_those_of_full_length(backend: str, tmp_path: Path) -> None:
    """The same examples, cut to their bucket and filled up to the end: the same losses, where padding is masked."""
    program = program_of(tmp_path)
    project = load_project(print_project(program, "Judge", load_backend(backend)))
    training = project.new_training()
    save_weights(tmp_path / "weights.safetensors", draw_weights(program, "Judge", 0))
    project.weights.load(training.model, tmp_path / "weights.safetensors")
    columns = project.data.load("train")
    for batch in project.data.batches(columns, 4):
        missing = 12 - batch["sentence"].shape[1]
        whole = {**batch, "sentence": np.pad(batch["sentence"], ((0, 0), (0, missing)))}
        losses = []
        for each in (batch, whole):
            if backend == "torch":
                losses.append(training.metrics(training.tensors(each))["loss"].item())
            else:
                losses.append(float(training.measure(each)["loss"]))
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_both_frameworks_see_the_same_batches(tmp_path: Path) -> None:
    program = program_of(tmp_path)
    printed = [print_project(program, "Judge", load_backend(name))["data.py"] for name in ("torch", "keras")]
    assert printed[0] == printed[1]


def test_lengths_that_no_bucket_holds(tmp_path: Path) -> None:
    program = program_of(tmp_path, by=True)
    arrays = dict(np.load(tmp_path / "rows.npz"))
    np.savez(tmp_path / "rows.npz", **{**arrays, "long": arrays["long"] + 13})
    with pytest.raises(SpecError, match="long: 25 is longer than the largest bucket, 12"):
        check_data(program, program.data["Rows"])

"""Trainings whose data is read batch by batch end with the weights of those that read it whole, to the bit."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import run_training, write_project
from tests.runtime.test_resume import SPEC, killed, weights

pytestmark = pytest.mark.slow


def written(folder: Path, backend: str, stream: str, options: str) -> Path:
    """The printed project of the spec, over a file of digits."""
    from sklearn.datasets import load_digits

    features, target = load_digits(return_X_y=True)
    np.save(folder / "digits.npy", np.column_stack([features, target]).astype("f4"))
    source = f'npy("{(folder / "digits.npy").as_posix()}")\n  {stream}'
    text = SPEC.replace('sklearn("digits")', source).replace("OPTIONS", options)
    (folder / "net.dls").write_text(text)
    program = load_program(folder / "net.dls")
    code = folder / (stream.partition(" ")[0] or "whole")
    write_project(print_project(program, "Net", load_backend(backend)), code)
    return code


@pytest.mark.parametrize(
    ("backend", "stream", "options"),
    [
        ("torch", "stream = { threads: 3, ahead: 1 }", "checkpoint = { steps: 3 }  max_steps = 100"),
        ("keras", "stream = true", "checkpoint = { steps: 2, keep: 1 }"),
    ],
)
def test_killed_streams_end_with_the_weights_of_the_whole(
    tmp_path: Path, backend: str, stream: str, options: str
) -> None:
    whole, streamed = (written(tmp_path, backend, each, options) for each in ("", stream))
    run_training(whole, ["--out", str(tmp_path / "whole-run")])
    seed = random.randrange(2**32)
    print("seed of the kills:", seed)
    rng = random.Random(seed)
    count = sum(killed(streamed, tmp_path / "run", rng.uniform(0, 0.3)) for _ in range(2))
    run_training(streamed, ["--out", str(tmp_path / "run"), "--resume"])
    assert weights(tmp_path / "run") == weights(tmp_path / "whole-run")
    assert count, "no run lived long enough to be killed"

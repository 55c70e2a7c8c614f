"""Two processes learn what one does, each with all weights or half of them, and one goes on where two stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import ProjectError, run_training, write_project
from dlspec.weights.store import load_weights

pytestmark = pytest.mark.slow

# 539 examples to train on: the last batch has one, so that one of two processes has none of it.
SPEC = """
block Layer(width) {
  input x: f32[N, width]
  output y = x + (x -> LayerNorm -> Linear(width) -> relu)
}
model Net(width = 16) {
  input image: f32[N, 64]
  h = image -> reshape([N, 1, 8, 8]) -> Conv2d(2, 3) -> relu -> flatten -> Linear(width)
  repeat 2 { h = h -> Layer(width) }
  output logits = h -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[64], label: i64 }
  split   = { train: 0.3, test: 0.7 }
  prepare { image = image / 16 }
}
train Net on Digits {
  loss       = cross_entropy(logits, label)
  optimizer  = AdamW(lr = 1e-2 * warmup(5), weight_decay = 0.1, decay = "matrices")
  metrics    = { accuracy: accuracy(logits, label) }
  batch_size = 269
  epochs     = 3
  OPTIONS
}
"""
WITH_ALL = "clip = { norm: 0.5 }  ema = 0.5  remat = [Layer]  keep_best = { metric: test_loss }"


def written(folder: Path, options: str, spec: str = SPEC) -> Path:
    """The printed project of the spec, which computes in f64."""
    (folder / "net.dls").write_text(spec.replace("OPTIONS", options))
    files = print_project(load_program(folder / "net.dls"), "Net", load_backend("torch"))
    files["data.py"] = files["data.py"].replace("float32", "float64")
    train = files["train.py"].replace("float32", "float64").replace(":.4g", ":.12g")
    before = "    torch.manual_seed(options.seed)\n"
    assert before in train
    files["train.py"] = train.replace(before, f"    torch.set_default_dtype(torch.float64)\n{before}")
    write_project(files, folder / "code")
    return folder / "code"


def trained(code: Path, run: Path, processes: int, *options: str) -> list[str]:
    """The lines that a training prints, without what they say of the time."""
    lines: list[str] = []
    run_training(code, ["--out", str(run), *options], on_line=lines.append, processes=processes)
    return [line.partition("  seconds")[0] for line in lines]


def close(run: Path, other: Path) -> bool:
    """Whether two runs end with the same weights, but for roundings of f64."""
    one, two = (load_weights(each / "weights.safetensors") for each in (run, other))
    return one.keys() == two.keys() and all(abs(one[name] - two[name]).max() < 1e-9 for name in one)


def results(run: Path) -> Any:
    return json.loads((run / "metrics.json").read_text())["results"]


@pytest.mark.parametrize("shard", ["", ", shard: full"])
def test_two_processes_learn_what_one_does(tmp_path: Path, shard: str) -> None:
    code = written(tmp_path, f"checkpoint = {{}}  parallel = {{ data: 2{shard} }}  {WITH_ALL}")
    one, two, on = tmp_path / "one", tmp_path / "two", tmp_path / "on"
    lines = trained(code, one, 1)
    assert len(lines) == 3  # an epoch each, told once
    assert trained(code, two, 2) == lines
    assert close(one, two)
    assert results(one)["test"]["loss"] == pytest.approx(results(two)["test"]["loss"], rel=1e-9)

    # What two have written, one goes on from; and what one has, two.
    for source, target, processes in ((two, on, 1), (one, tmp_path / "back", 2)):
        shutil.copytree(source, target)
        shutil.rmtree(max((target / "checkpoints").iterdir()))
        assert trained(code, target, processes, "--resume") == lines[2:]
        assert close(one, target)


def test_processes_draw_their_own_numbers_and_go_on_with_them(tmp_path: Path) -> None:
    spec = SPEC.replace("-> Linear(10)", "-> Dropout(0.5) -> Linear(10)")
    code = written(tmp_path, "checkpoint = { steps: 4 }  parallel = { data: 2 }", spec)
    whole, again = tmp_path / "whole", tmp_path / "again"
    trained(code, whole, 2)
    shutil.copytree(whole, again)
    shutil.rmtree(max((again / "checkpoints").iterdir()))
    trained(code, again, 2, "--resume")
    assert (whole / "weights.safetensors").read_bytes() == (again / "weights.safetensors").read_bytes()
    trained(code, again, 1, "--resume")  # with masks of its own: it has to run, no more


def test_the_process_that_failed_first_has_the_last_word(tmp_path: Path) -> None:
    code = written(tmp_path, "parallel = { data: 2 }")
    train = code / "train.py"
    begin = "    def loss(self, batch: Batch) -> Tensor:\n"
    broken = f'{begin}        if processes.RANK == 1:\n            raise KeyError("lost")\n'
    train.write_text(train.read_text().replace(begin, broken))
    with pytest.raises(ProjectError, match=r"KeyError: 'lost'$"):
        trained(code, tmp_path / "run", 2)

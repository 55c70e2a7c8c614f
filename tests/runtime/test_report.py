"""The report of a run: everything in one page, and nothing of a spec as code in it."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlspec
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.training import Training
from dlspec.runtime.project import write_project
from dlspec.runtime.report import write_report
from dlspec.runtime.report.curves import curve, epochs, heat, ticks
from dlspec.runtime.report.samples import samples, strip
from dlspec.runtime.runs import PROGRAM, Run
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

SPEC = """
# Reads flowers. <script>alert("doc")</script>
model Net {
  input x: f32[N, 4]
  output y = x -> Linear(8) -> relu -> Linear(3)
}
data Flowers {
  source  = sklearn("iris")
  columns = { x: f32[4], label: i64 }
  split   = { train: 0.8, test: 0.2 }
}
# A training. <script>alert("doc")</script>
train Net on Flowers {
  loss      = cross_entropy(y, label)
  optimizer = Adam(lr = 1e-3)
  metrics   = { accuracy: accuracy(y, label) }
  epochs    = 3
  keep_best = { metric: test_accuracy, goal: max }
}
"""
HISTORY = [
    {"loss": 1.0, "test_loss": 1.1, "test_accuracy": 0.3, "seconds": 0.1},
    {"loss": 0.5, "test_loss": 0.6, "test_accuracy": 0.9, "seconds": 0.1},
    {"loss": 0.4, "test_loss": 0.7, "test_accuracy": 0.9, "seconds": 0.1},
]


class Page(HTMLParser):
    """The tags of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def report(folder: Path, results: dict[str, Any], spec: str = SPEC) -> str:
    """The report of a run that never was."""
    program = dlspec.loads(spec).program
    write_project(print_project(program, "Net", load_backend("torch")), folder / "code")
    (folder / PROGRAM).write_text(program.model_dump_json())
    (folder / "metrics.json").write_text(json.dumps({"history": HISTORY, "results": results}))
    Run("net.dls", "Net", "torch", "f" * 64, ["--seed", "7"], ".", "finished").write(folder)
    return write_report(folder).read_text("utf-8")


RESULTS = {
    "train": {"loss": 0.4, "accuracy": 0.95, "confusion": [[1, 2], [3, 4]]},
    "test": {"loss": 0.6, "accuracy": 0.9, "confusion": [[5, 0], [1, 6]]},
}


def test_one_page_has_it_all(tmp_path: Path) -> None:
    text = report(tmp_path, RESULTS)
    page = Page(text)
    for told in (
        "weights of epoch 2, the best by test_accuracy", "67parameters", "0.9test accuracy", "120 examples in train",
        "3 values:", "--seed 7", "confusion, test", "Linear", "7.9",
    ):  # fmt: skip
        assert told in page.text, told
    assert sum("curve" in (attributes.get("class") or "") for _, attributes in page.tags) == 2
    assert sum(attributes.get("class") == "cell" for _, attributes in page.tags) == 4


def test_curves_by_step(tmp_path: Path) -> None:
    lines = [{"step": 5 * i, "loss": 1 / i, "rate": 1e-3} for i in range(1, 1501)]
    (tmp_path / "steps.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    text = report(tmp_path, RESULTS)
    page = Page(text)
    assert sum("curve" in (attributes.get("class") or "") for _, attributes in page.tags) == 4
    for told in ("By step", "Adam(lr = 0.001)", "6,000"):
        assert told in page.text, told
    assert max(path.count("L") for path in re.findall(r'd="(M[^"]*)"', text)) < 600  # long lines are thinned


def test_it_needs_nothing_and_runs_nothing(tmp_path: Path) -> None:
    text = report(tmp_path, RESULTS)
    page = Page(text)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    links = [v for _, a in page.tags for k, v in a.items() if k in ("src", "href") or k.startswith("on")]
    assert links == []
    assert "&lt;script&gt;" in text
    assert not re.search(r"url\((?!#)", text)


def test_images_are_shown_as_they_are() -> None:
    image = np.arange(2 * 25, dtype=np.float32).reshape(2, 25)
    data = base64.b64decode(strip(image).partition("base64,")[2])
    chunks, at = {}, 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        chunks[kind] = data[at + 8 : at + 8 + size]
        assert (
            struct.pack(">I", zlib.crc32(data[at + 4 : at + 8 + size]))
            == data[at + 8 + size : at + 12 + size]
        )
        at += 12 + size
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (11, 5, 8, 0, 0, 0, 0)
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(5, 12)
    assert lines[0].tolist() == [0, 0, 5, 10, 15, 20, 255, 130, 135, 140, 145, 150]


@pytest.mark.slow
def test_what_a_model_makes_is_shown(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    spec = SPEC.replace("x: f32[4], label", "x: f32[64], label").replace(
        "x: f32[N, 4]", "x: f32[N, 64]\n  input z: f32[N, 2]"
    )
    spec = spec.replace("iris", "digits").replace(
        "output y =", "output again = z -> Linear(64)\n  output y ="
    )
    program = dlspec.loads(spec.partition("# A training")[0]).program
    save_weights(tmp_path / "weights.safetensors", draw_weights(program, "Net"))
    training = Training(name="Net", data="Flowers", models={"model": program.models["Net"]}, steps=())
    rows = {"x": np.zeros((20, 64), np.float32)}
    made = samples(tmp_path, program, training, rows)
    assert [each["title"] for each in made] == ["given to model: x", "made by model: again, from normal z"]


def test_what_a_model_writes_is_shown(tmp_path: Path) -> None:
    """About held-out rows: images in a strip, what is asked beside what is answered."""
    pytest.importorskip("onnxruntime")
    spec = """
model Net {
  input image: f32[N, 1, 5, 5]
  input asked: i64[N, 3]
  input sofar: i64[N, 4]
  output y = one_hot(sofar, 3) + 0 * sum(image) + 0 * cast(sum(asked), f32) -> Linear(3)
}
"""
    program = dlspec.loads(spec).program
    (tmp_path / "vocabulary.json").write_text('["", "a", "b"]')
    weights = {"linear.weight": np.zeros((3, 3), np.float32), "linear.bias": np.float32([0, 1, 2])}
    save_weights(tmp_path / "weights.safetensors", weights)
    training = Training(name="Net", data="Flowers", models={"net": program.models["Net"]}, steps=())
    rows = {"image": np.zeros((2, 1, 5, 5), np.float32), "asked": np.array([[1, 1, 0], [2, 0, 0]])}
    shown = samples(tmp_path, program, training, rows)
    assert shown[0]["title"] == "given to net: image"
    assert shown[1]["text"] == "aa -> bbbb\nb -> bbbb"


def test_data_that_has_gone_is_told(tmp_path: Path) -> None:
    write = tmp_path / "code"
    report(tmp_path, RESULTS)
    (write / "data.py").write_text("raise ValueError('gone')")
    text = write_report(tmp_path).read_text("utf-8")
    assert "could not be read for this page: gone" in text


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.31, 0.98), (-3e-7, 2e-7), (5, 5), (0, 0), (1e6, 3e9)])
def test_ticks_hold_the_values(low: float, high: float) -> None:
    marks = ticks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 8


def test_curves_of_what_is_not_finite() -> None:
    assert curve({"train": [float("nan")]}) == ""
    assert curve({"train": [1.0, float("inf"), 2.0]}).count("<circle") == 2
    assert "&lt;b&gt;" in curve({"<b>": [1.0]})
    assert "&lt;b&gt;" in heat([[1.0]], ["<b>"])
    assert epochs(1) == [1]
    assert epochs(300)[-1] == 300

"""Every spec under specs/: it passes `check`, has the size it says, and computes the same on all backends."""

from __future__ import annotations

from pathlib import Path

import pytest

import dlspec
from dlspec._data import data_path

SPECS = sorted(p for p in Path(str(data_path("specs"))).rglob("*.dls") if p.parent.name != "std")

# spec, model: parameters, multiply-accumulates for one example, and where the numbers come from.
SIZES = {
    ("foundations/autoencoder", "Autoencoder"): (
        2_837_314,
        2_833_000,
        "the paper's layers; Caffe mnist_autoencoder",
    ),
    ("survey/attention", "RowAttention"): (3_466, 25_856, "8 x 128 positions, 8-128, 128-10"),
    ("survey/cnn", "Classifier"): (53_002, 347_392, "320 + 18,496 + 32,896 + 1,290"),
    ("survey/cnn28", "Classifier"): (225_034, 2_631_040, "the survey's listing, model.summary()"),
    ("survey/mlp", "Perceptron"): (9_610, 9_472, "64-128-10"),
    ("survey/momentum", "Perceptron"): (9_610, 9_472, "64-128-10"),
    ("survey/rnn", "RowReader"): (1_642, 10_560, "32 (d + 33) + 330 for d = 8"),
}


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", SPECS, ids=name_of)
def test_says_what_it_is(path: Path) -> None:
    spec = dlspec.load(path)
    assert spec.program.doc, "a comment at the top says what it is and where it comes from"
    for model in spec.models:
        parameters, macs, _ = SIZES[name_of(path), model]
        summary = spec.model(model).summary()
        assert (summary.parameters, summary.macs) == (parameters, macs)


def test_no_size_without_a_spec() -> None:
    models = {(name_of(path), model) for path in SPECS for model in dlspec.load(path).models}
    assert models == set(SIZES)


@pytest.mark.slow
@pytest.mark.parametrize("path", SPECS, ids=name_of)
def test_same_numbers_everywhere(path: Path) -> None:
    from dlspec.runtime.verify import verify

    program = dlspec.load(path).program
    for model in program.models:
        report = verify(program, model, backends=["torch", "keras", "onnx"])
        assert report.ok, report
        assert len(report.checks) == 4  # outputs with Keras, ONNX and the reference; gradients with Keras

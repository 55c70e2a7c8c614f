"""Generated data: every generator prints, runs, repeats itself, and says what it may be given."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dlspec.elaborate.synthetic import TYPES, generators
from dlspec.emit.data import print_data
from dlspec.ir.data import DataSet, Source
from dlspec.ir.graph import Program
from dlspec.ir.types import parse_type
from dlspec.runtime.project import load_project


def made(name: str, seed: int = 0, **options: object) -> dict[str, np.ndarray]:
    """What the printed generator returns."""
    source = Source(kind="synthetic", args=(name,), options=options)
    columns = {column: parse_type("f64") for column in generators()[name].columns}
    data = DataSet(name="Made", source=source, columns=columns, split={"train": 1.0}, seed=seed)
    project = load_project({"data.py": print_data(Program(), data)})
    return getattr(project.data, name)(seed, **options)


@pytest.mark.parametrize("name", list(generators()))
def test_laws(name: str) -> None:
    generator = generators()[name]
    assert set(generator.options.values()) <= set(TYPES)
    small = {"examples": 40} if "examples" in generator.options else {}
    first, again, other = made(name, **small), made(name, **small), made(name, 1, **small)
    assert set(first) == set(generator.columns)
    assert len({len(values) for values in first.values()}) == 1
    for column, values in first.items():
        assert np.array_equal(values, again[column])
    assert any(not np.array_equal(first[column], other[column]) for column in first)


def test_names_do_not_clash() -> None:
    """Generators are printed into data.py, beside its own functions."""
    source = Source(kind="npy", args=("x",))
    data = DataSet(name="D", source=source, columns={"x": parse_type("f32")}, split={"train": 1.0})
    own = set(re.findall(r"^def (\w+)", print_data(Program(), data), re.MULTILINE))
    for generator in generators().values():
        assert not own & set(re.findall(r"^def (\w+)", generator.text, re.MULTILINE))


def test_moons() -> None:
    columns = made("moons", examples=2000, noise=0.0, rotation=90.0)
    first = columns["point"][columns["label"] == 0]
    assert np.allclose(np.hypot(*first.T), 1)
    turned = columns["target"][columns["target_label"] == 0] - [0.5, 0.25]
    back = turned @ np.array([[0, -1], [1, 0]]) + [0.5, 0.25]
    assert np.allclose(np.hypot(*back.T), 1)


def test_shapes_can_be_told_apart() -> None:
    columns = made("shapes", examples=400, size=12)
    assert columns["image"].shape == (400, 1, 12, 12)
    area = columns["image"].reshape(400, -1).mean(axis=1)
    means = [area[columns["label"] == kind].mean() for kind in range(4)]
    assert means[1] > means[0] * 0.8 > means[2] * 0.8
    assert means[2] != pytest.approx(means[3], abs=1e-3)


def test_masks_of_scenes() -> None:
    """Where nothing covers it, each shape is brighter than what is around it; the cross is background."""
    columns = made("scenes", examples=200, size=24, noise=0.0)
    image, mask = columns["image"][:, 0], columns["mask"]
    assert image.shape == mask.shape == (200, 24, 24)
    assert set(np.unique(mask)) == {0, 1, 2, 3}
    bright = np.mean([i[m > 0].min() - np.median(i[m == 0]) for i, m in zip(image, mask, strict=True)])
    assert bright > 0.1
    hidden = [(m == 0) & (i > i[m > 0].min()) for i, m in zip(image, mask, strict=True)]
    assert np.mean([h.sum() > 4 for h in hidden]) > 0.5, "the crosses are bright, too"

"""Augmentations and statistics of the training split, as printed: laws for each, and what batches hold."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dlspec._data import data_path
from dlspec.elaborate.augmentation import augmenters
from dlspec.elaborate.program import load_program
from dlspec.elaborate.synthetic import TYPES
from dlspec.emit.data import print_data
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.runtime.project import load_project

SPEC = """
model Net {
  input image: f32[N, 1, 8, 8]
  output logits = image -> flatten -> Linear(10)
}
data Digits {
  source  = sklearn("digits")
  columns = { image: f32[1, 8, 8], label: i64 }
  split   = { train: 0.5, test: 0.5 }
  prepare {
    image = (image - train_mean(image, axis = [0, 2, 3])) / train_std(image, axis = [0, 1, 2, 3])
    label = one_hot(label, 10)
  }
  augment {
    image = image -> random_crop(padding = 1) -> random_noise(std = 0.01)
    image, label = mixup(image, label, alpha = 0.3)
  }
}
train Net on Digits {
  loss = mean(sum(-label * log_softmax(logits), axis = 1))
  optimizer = Adam(lr = 1e-2)
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Any:
    spec = tmp_path_factory.mktemp("augment") / "net.dls"
    spec.write_text(SPEC)
    return load_program(spec)


@pytest.fixture(scope="module")
def data(program: Any) -> ModuleType:
    project = load_project({"data.py": print_data(program, program.data["Digits"])})
    project.data.project = project
    return project.data


def function(name: str) -> Any:
    scope: dict[str, Any] = {}
    exec(augmenters()[name].text, scope)
    return scope[name]


@pytest.mark.parametrize("name", list(augmenters()))
def test_laws(name: str) -> None:
    """What comes out has the shape of what goes in, is drawn from the stream only, and leaves its input alone."""
    pytest.importorskip("scipy" if augmenters()[name].needs else "numpy")
    augmenter, alter = augmenters()[name], function(name)
    assert set(augmenter.options.values()) <= set(TYPES)
    assert len(re.findall(r"^def ", augmenter.text, re.MULTILINE)) == 1
    shape = (3, 8, 9)[-(augmenter.axes or 3) :]
    x = np.arange(np.prod(shape)).reshape(shape)
    x = x if augmenter.whole else x / x.size
    given = [[x, np.ones(2)], [1 - x, np.zeros(2)]] if augmenter.several else [x]
    before = np.array(x)
    results = []
    for seed in range(40):
        made, again = (alter(*given, np.random.default_rng(seed)) for _ in range(2))
        first, second = (made[0], again[0]) if augmenter.several else (made, again)
        assert np.shape(first) == shape
        assert np.array_equal(first, second)
        assert np.isfinite(first).all()
        results.append(first)
    assert any(not np.array_equal(results[0], each) for each in results)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_labels_are_mixed_by_the_share_of_the_image(name: str) -> None:
    mine, other = [np.ones((1, 8, 8)), np.ones(2)], [np.zeros((1, 8, 8)), np.zeros(2)]
    for seed in range(20):
        image, label = function(name)(mine, other, np.random.default_rng(seed))
        assert image.mean() == pytest.approx(label[0])


def test_affine_moves_down_and_to_the_right() -> None:
    pytest.importorskip("scipy")

    class Most:
        def uniform(self, low: float, high: float, count: int) -> np.ndarray:
            return np.array([0, 1, 1, 0, 0])

    x = np.random.default_rng(0).random((1, 10, 10))
    moved = function("random_affine")(x, Most(), shift=0.2)
    assert np.allclose(moved[:, 2:, 2:], x[:, :-2, :-2])


def test_batches_are_the_same_for_the_same_seed_epoch_and_example(data: ModuleType) -> None:
    train = data.load("train")
    raw = train["image"].copy()

    def images(size: int, seed: int, epoch: int) -> np.ndarray:
        order = data.permutation(data.count(train), f"{seed}:{epoch}")
        made = np.concatenate([b["image"] for b in data.batches(train, size, seed, epoch)])
        return made[np.argsort(order)]

    first = images(32, 1, 2)
    assert first.dtype == np.float32
    assert np.array_equal(first, images(50, 1, 2))  # whatever the batch
    assert not np.array_equal(first, images(32, 1, 3))
    assert not np.array_equal(first, images(32, 2, 2))
    assert np.array_equal(train["image"], raw)


def test_evaluation_is_not_augmented(data: ModuleType) -> None:
    test = data.load("test")
    made = np.concatenate([b["image"] for b in data.batches(test, 32, shuffle=False)])
    assert np.array_equal(made, test["image"])


def test_labels_stay_shares(data: ModuleType) -> None:
    batch = next(data.batches(data.load("train"), 64))
    assert np.allclose(batch["label"].sum(axis=1), 1)
    assert ((batch["label"] > 0).sum(axis=1) == 2).any()


def test_statistics_are_those_of_the_training_split(data: ModuleType) -> None:
    raw = data.examples("train")["image"]
    found = data.statistics()
    assert found["image_mean_2_3"].shape == (1, 1, 1, 1)
    assert found["image_mean_2_3"].item() == pytest.approx(raw.mean(), rel=1e-5)
    assert found["image_std_1_2_3"].item() == pytest.approx(raw.std(), rel=1e-5)
    train, test = data.load("train")["image"], data.load("test")["image"]
    assert train.mean() == pytest.approx(0, abs=1e-5)
    assert train.std() == pytest.approx(1, abs=1e-5)
    assert test.mean() != pytest.approx(0, abs=1e-5)


def test_both_frameworks_get_the_same_batches(program: Any) -> None:
    texts = {print_project(program, "Net", load_backend(name))["data.py"] for name in ("torch", "keras")}
    assert len(texts) == 1


def test_functions_do_not_hide_each_other() -> None:
    own = data_path("backends") / "common" / "data.py.jinja"
    assert not set(re.findall(r"def (\w+)", own.read_text())) & set(augmenters())

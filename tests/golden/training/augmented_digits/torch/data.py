"""Digits: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits

Columns = dict[str, np.ndarray]

NAME = "Digits"
SEED = 0
SPLIT = {"train": 0.1, "test": 0.9}


def random_affine(
    x: np.ndarray,
    rng: np.random.Generator,
    *,
    degrees: float = 10.0,
    shift: float = 0.1,
    scale: float = 0.1,
    shear: float = 0.0,
) -> np.ndarray:
    """An image [C, H, W] turned, moved by a share of its size, scaled and slanted about its middle."""
    angle, down, right, size, slant = rng.uniform(-1, 1, 5)
    turn, tilt = np.deg2rad(angle * degrees), np.deg2rad(slant * shear)
    rotate = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    back = np.linalg.inv(
        (1 + size * scale) * rotate @ np.array([[1, 0], [np.tan(tilt), 1]])
    )
    extent = np.array(x.shape[1:])
    middle = (extent - 1) / 2
    offset = middle - back @ (middle + shift * extent * [down, right])
    moved = [affine_transform(each, back, offset, order=1) for each in x]
    return np.stack(moved)


def mixup(
    mine: list[np.ndarray],
    other: list[np.ndarray],
    rng: np.random.Generator,
    *,
    alpha: float = 0.2,
) -> list[np.ndarray]:
    """Two examples mixed, all columns by one share (Zhang et al. 2017)."""
    share = rng.beta(alpha, alpha)
    return [share * a + (1 - share) * b for a, b in zip(mine, other, strict=True)]


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    features, target = load_digits(return_X_y=True)
    return {
        "image": column("image", features, np.float32, (1, 8, 8)),
        "label": column("label", target, np.int64, ()),
    }


def prepare(columns: Columns) -> Columns:
    """What the models take, made from what the source has."""
    image, label = columns["image"], columns["label"]
    image_mean_2_3 = statistics()["image_mean_2_3"]
    image_std_2_3 = statistics()["image_std_2_3"]
    image = (image - image_mean_2_3) / image_std_2_3
    label = np.eye(10, dtype=np.float32)[label]  # [N, 10]
    return {**columns, "image": image, "label": label}


@cache
def statistics() -> Columns:
    """What the preparation takes from the training split."""
    columns = examples("train")
    image = columns["image"]
    image_mean_2_3 = np.mean(image, (0, 2, 3), keepdims=True)  # [1, 1, 1, 1]
    x = image - np.mean(image, (0, 2, 3), keepdims=True)
    x = np.mean(x * x, (0, 2, 3), keepdims=True)  # [1, 1, 1, 1]
    image_std_2_3 = np.sqrt(x)
    return {"image_mean_2_3": image_mean_2_3, "image_std_2_3": image_std_2_3}


def examples(split: str) -> Columns:
    """The examples of one split, as the source has them."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    order = permutation(total, f"{SEED}:{NAME}")
    values = columns["label"][order]
    place = [*SPLIT].index(split)
    chosen = []
    for group in (order[values == value] for value in np.unique(values)):
        ends = [
            math.floor(end * len(group) + 1e-6) for end in np.cumsum([*SPLIT.values()])
        ]
        chosen.append(np.split(group, ends)[place])
    rows = np.concatenate(chosen)
    return {name: values[rows] for name, values in columns.items()}


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    return prepare(examples(split))


def batches(
    columns: Columns, size: int, seed: int = 0, epoch: int = 0, shuffle: bool = True
) -> Iterator[Columns]:
    """All examples once, in an order given by seed and epoch; the last batch may be small."""
    total = count(columns)
    order = permutation(total, f"{seed}:{epoch}") if shuffle else np.arange(total)
    for start in range(0, total, size):
        rows = order[start : start + size]
        batch = {name: values[rows] for name, values in columns.items()}
        yield augment(batch, columns, rows, seed, epoch) if shuffle else batch


def augment(
    batch: Columns, columns: Columns, rows: np.ndarray, seed: int, epoch: int
) -> Columns:
    """A batch altered at random: each example by numbers of its own, given by seed, epoch and its row."""
    for place, row in enumerate(rows):
        stream = np.random.Philox(key=[seed, epoch], counter=[0, 0, row, 0])
        rng = np.random.Generator(stream)
        image = batch["image"][place]
        label = batch["label"][place]
        image = random_affine(image, rng, degrees=8, shift=0.08, scale=0.1)
        other = rng.integers(count(columns))
        image, label = mixup(
            [image, label],
            [columns["image"][other], columns["label"][other]],
            rng,
            alpha=0.1,
        )
        batch["image"][place] = image
        batch["label"][place] = label
    return batch


def count(columns: Columns) -> int:
    """How many examples there are; ValueError where columns disagree."""
    counts = {name: len(values) for name, values in columns.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"columns differ in their number of examples: {counts}")
    return next(iter(counts.values()))


def permutation(total: int, stream: str) -> np.ndarray:
    """The order given by a named stream of random words: the same on every machine."""
    key = int.from_bytes(hashlib.sha256(stream.encode()).digest()[:16], "little")
    return np.argsort(np.random.Philox(key=key).random_raw(total), kind="stable")


def column(
    name: str, values: np.ndarray, dtype: type[np.generic], shape: tuple[int, ...]
) -> np.ndarray:
    """The values, one row an example, as the declared type; ValueError if they cannot."""
    found = values.shape[1:]
    if shape not in (found, (1, *found)) and found != (math.prod(shape),):
        raise ValueError(
            f"{name}: an example has shape {list(found)}, expected {list(shape)}"
        )
    rows = values.reshape(len(values), *shape)
    try:
        converted = rows.astype(dtype)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None
    if not np.issubdtype(dtype, np.floating) and not np.array_equal(converted, rows):
        raise ValueError(f"{name}: not all values are of type {np.dtype(dtype)}")
    return converted

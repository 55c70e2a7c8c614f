"""Scenes: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

Columns = dict[str, np.ndarray]

NAME = "Scenes"
SEED = 0
SPLIT = {"train": 0.8, "test": 0.2}


def scenes(
    seed: int, *, examples: int = 1000, size: int = 32, noise: float = 0.05
) -> dict[str, np.ndarray]:
    """Grey images, lit from one side, of one disc, square, triangle and cross each; `mask` says where the first three
    are (1, 2 and 3) and calls the cross background. What is drawn later covers what was there."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    at = np.arange(size) + 0.5
    x, y = at[None, None, :], at[None, :, None]
    slope = rng.uniform(-0.4, 0.4, (2, examples, 1, 1)) / size
    light = 0.3 + slope[0] * (x - size / 2) + slope[1] * (y - size / 2)
    image = light
    mask = np.zeros((examples, size, size), np.int64)
    order = rng.permuted(np.tile(np.arange(4), (examples, 1)), axis=1)
    for kind in order.T:
        radius = rng.uniform(0.12, 0.22, (examples, 1, 1)) * size
        middle = rng.uniform(0.2, 0.8, (2, examples, 1, 1)) * size
        shade = rng.uniform(0.25, 0.5, (examples, 1, 1))
        across, down = abs(x - middle[0]), y - middle[1]
        farther = np.maximum(across, abs(down))
        inside = np.choose(
            kind[:, None, None],
            [
                across**2 + down**2 < radius**2,
                farther < 0.85 * radius,
                (down < 0.8 * radius) & (2 * across < down + radius),
                (farther < radius) & (np.minimum(across, abs(down)) < 0.3 * radius),
            ],
        )
        image = np.where(inside, light + shade, image)
        mask = np.where(inside, (kind[:, None, None] + 1) % 4, mask)
    image += noise * rng.standard_normal(image.shape)
    return {"image": image[:, None], "mask": mask}


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    made = scenes(SEED, examples=1500)
    return {
        "image": column("image", made["image"], np.float32, (1, 32, 32)),
        "mask": column("mask", made["mask"], np.int64, (32, 32)),
    }


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    ends = [math.floor(end * total + 1e-6) for end in np.cumsum([*SPLIT.values()])]
    parts = np.split(permutation(total, f"{SEED}:{NAME}"), ends)
    rows = parts[[*SPLIT].index(split)]
    return {name: values[rows] for name, values in columns.items()}


def batches(
    columns: Columns, size: int, seed: int = 0, epoch: int = 0, shuffle: bool = True
) -> Iterator[Columns]:
    """All examples once, in an order given by seed and epoch; the last batch may be small."""
    total = count(columns)
    order = permutation(total, f"{seed}:{epoch}") if shuffle else np.arange(total)
    for start in range(0, total, size):
        rows = order[start : start + size]
        yield {name: values[rows] for name, values in columns.items()}


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

"""901 images of the digits 0 to 4. The backbone never sees one of 5 to 9.: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from sklearn.datasets import load_digits

Columns = dict[str, np.ndarray]

NAME = "Known"
SEED = 0
SPLIT = {"train": [0, 1, 2, 3, 4], "others": [5, 6, 7, 8, 9]}


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    features, target = load_digits(return_X_y=True)
    return {
        "image": column("image", features, np.float32, (64,)),
        "label": column("label", target, np.int64, ()),
    }


def prepare(columns: Columns) -> Columns:
    """What the models take, made from what the source has."""
    image = columns["image"]
    return {**columns, "image": image / 16}


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    rows = np.flatnonzero(np.isin(columns["label"], SPLIT[split]))
    return prepare({name: values[rows] for name, values in columns.items()})


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

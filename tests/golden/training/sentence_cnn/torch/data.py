"""Opinions: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

Columns = dict[str, np.ndarray]

NAME = "Opinions"
SEED = 0
SPLIT = {"train": 0.8, "test": 0.2}


def sentences(
    seed: int, *, examples: int = 4000, length: int = 12
) -> dict[str, np.ndarray]:
    """Sentences that praise (1) or blame (0), as numbers of words.

    Word 1 is "not", 2 to 9 are good, 10 to 17 bad, 18 to 49 neither. Each sentence has one good or bad word and
    one "not", which turns that word around where it stands right before it: counting words says nothing.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    sentence = rng.integers(18, 50, (examples, length))
    bad, turned = rng.integers(2, size=(2, examples))
    at = rng.integers(1, length, examples)
    before = (at - 1 - rng.integers(1, length - 1, examples)) % length
    elsewhere = np.where(before == at, (at + 1) % length, before)
    rows = np.arange(examples)
    sentence[rows, at] = 2 + 8 * bad + rng.integers(8, size=examples)
    sentence[rows, np.where(turned, at - 1, elsewhere)] = 1
    for row, used in enumerate(rng.integers(5, length + 1, examples)):
        sentence[row, max(used, sentence[row].argmin() + 1, at[row] + 1) :] = 0
    return {"sentence": sentence, "label": 1 - (bad ^ turned)}


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    made = sentences(SEED)
    return {
        "sentence": column("sentence", made["sentence"], np.int64, (12,)),
        "label": column("label", made["label"], np.int64, ()),
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

"""Sums: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

Columns = dict[str, np.ndarray]

NAME = "Sums"
SEED = 0
SPLIT = {"train": 0.9, "test": 0.1}


def addition(
    seed: int, *, examples: int = 30000, digits: int = 3
) -> dict[str, np.ndarray]:
    """Different sums such as 347+085, and what they come to, 0432; `sofar` is that one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    a, b = np.divmod(rng.permutation(100**digits)[:examples], 10**digits)
    asked = [f"{x:0{digits}}+{y:0{digits}}" for x, y in zip(a, b, strict=True)]
    answers = [f"{total:0{digits + 1}}" for total in a + b]
    answer = np.array(answers).view(np.uint32).reshape(-1, digits + 1)
    return {
        "asked": np.array(asked).view(np.uint32).reshape(len(asked), -1),
        "sofar": np.pad(answer[:, :-1], ((0, 0), (1, 0))),
        "answer": answer,
    }


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    made = addition(SEED, examples=30000)
    return {
        "asked": column("asked", made["asked"], np.int64, (7,)),
        "sofar": column("sofar", made["sofar"], np.int64, (4,)),
        "answer": column("answer", made["answer"], np.int64, (4,)),
    }


TEXTS = ["asked", "sofar", "answer"]


@cache
def vocabulary() -> list[str]:
    """The characters by their numbers: the most frequent of the training part; number 0 is no character."""
    columns = examples("train")
    texts = np.concatenate([columns[name].ravel() for name in TEXTS])
    codes, counts = np.unique(texts[texts > 0], return_counts=True)
    frequent = codes[np.argsort(-counts, kind="stable")][:47]
    return ["", *map(chr, np.sort(frequent))]


def encode(columns: Columns) -> Columns:
    """Characters as their numbers in the vocabulary."""
    known = np.array([ord(character) for character in vocabulary()[1:]])
    texts = {}
    for name in TEXTS:
        places = np.searchsorted(known, columns[name])
        found = known.take(places, mode="clip") == columns[name]
        texts[name] = np.where(found, places + 1, 0)
    return {**columns, **texts}


def examples(split: str) -> Columns:
    """The examples of one split, as the source has them."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    ends = [math.floor(end * total + 1e-6) for end in np.cumsum([*SPLIT.values()])]
    parts = np.split(permutation(total, f"{SEED}:{NAME}"), ends)
    rows = parts[[*SPLIT].index(split)]
    return {name: values[rows] for name, values in columns.items()}


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    return encode(examples(split))


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

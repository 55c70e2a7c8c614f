"""Utterances: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

Columns = dict[str, np.ndarray]

NAME = "Utterances"
SEED = 0
SPLIT = {"train": 0.8, "test": 0.2}
BUCKETS = [14, 20, 28, 40, 56]  # how long the examples of a batch may be
PADDED = ["speech"]


def spoken_digits(
    seed: int,
    *,
    examples: int = 2000,
    most: int = 4,
    features: int = 12,
    noise: float = 0.6,
) -> dict[str, np.ndarray]:
    """Utterances of one to `most` digits: spectra that glide through each digit's sounds.

    Every digit is four sounds, said slower or faster, with pauses, noise and an own voice.
    `speech` is padded with zeros to 14 frames a digit, `digits` with zeros to `most`.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    sounds = rng.standard_normal((10, 4, features))
    speech = np.zeros((examples, 14 * most, features))
    digits = np.zeros((examples, most), int)
    count = rng.integers(1, most + 1, examples)
    frames = np.zeros(examples, int)
    for row in range(examples):
        voice = 1 + 0.2 * rng.standard_normal(features)
        said = digits[row, : count[row]] = rng.integers(0, 10, count[row])
        parts = []
        for digit in said:
            place = np.linspace(0, 3, rng.integers(6, 12))
            glide = [np.interp(place, range(4), sound) for sound in sounds[digit].T]
            parts += [np.transpose(glide), np.zeros((rng.integers(0, 4), features))]
        whole = np.concatenate(parts)
        frames[row] = len(whole)
        whole = voice * whole + noise * rng.standard_normal(whole.shape)
        speech[row, : len(whole)] = whole
    return {"speech": speech, "frames": frames, "digits": digits, "count": count}


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    made = spoken_digits(SEED, examples=3000, most=4)
    return {
        "speech": column("speech", made["speech"], np.float32, (56, 12)),
        "frames": column("frames", made["frames"], np.int64, ()),
        "digits": column("digits", made["digits"], np.int64, (4,)),
        "count": column("count", made["count"], np.int64, ()),
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


def lengths(columns: Columns) -> np.ndarray:
    """How long each example is; ValueError if it is longer than all buckets."""
    found = columns["frames"]
    if found.max(initial=0) > BUCKETS[-1]:
        raise ValueError(
            f"frames: {found.max()} is longer than the largest bucket, {BUCKETS[-1]}"
        )
    return found


def buckets(
    columns: Columns, order: np.ndarray, size: int
) -> list[tuple[np.ndarray, int]]:
    """The rows of each batch and its length: examples of one bucket, in this order, as soon as they are enough."""
    bucket = np.searchsorted(BUCKETS, lengths(columns)[order])
    found = []
    for number, length in enumerate(BUCKETS):
        places = np.flatnonzero(bucket == number)
        for start in range(0, len(places), size):
            chosen = places[start : start + size]
            found.append((chosen.max(), order[chosen], length))
    found.sort(key=lambda batch: batch[0])
    return [(rows, length) for _, rows, length in found]


def batch_count(columns: Columns, size: int) -> int:
    """How many batches an epoch of training has."""
    examples = np.bincount(np.searchsorted(BUCKETS, lengths(columns)))
    return int(np.ceil(examples / size).sum())


def batches(
    columns: Columns, size: int, seed: int = 0, epoch: int = 0, shuffle: bool = True
) -> Iterator[Columns]:
    """All examples once, in an order given by seed and epoch; each batch is of one bucket; the last batch may be small."""
    total = count(columns)
    order = permutation(total, f"{seed}:{epoch}") if shuffle else np.arange(total)
    chosen = buckets(columns, order, size)
    for rows, length in chosen:
        batch = {name: values[rows] for name, values in columns.items()}
        batch |= {name: batch[name][:, :length] for name in PADDED}
        yield batch


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

"""Pictures: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np

Columns = dict[str, np.ndarray]

NAME = "Pictures"
SEED = 0
SPLIT = {"train": 0.8, "test": 0.2}


def captions(
    seed: int, *, examples: int = 4000, size: int = 16, noise: float = 0.05
) -> dict[str, np.ndarray]:
    """Images of one coloured shape each, and what they show: `large red disc, top left`; `sofar` one place later."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    large, colour, shape, low, right = (
        rng.integers(n, size=examples) for n in (2, 3, 3, 2, 2)
    )
    radius = (rng.uniform(0.12, 0.15, examples) + 0.09 * large)[:, None, None] * size
    places = np.stack([low, right]) + rng.uniform(-0.15, 0.15, (2, examples))
    middle = (0.28 + 0.44 * places)[:, :, None, None] * size
    at = np.arange(size) + 0.5
    down, across = at[None, :, None] - middle[0], at[None, None, :] - middle[1]
    farther = np.maximum(abs(down), abs(across))
    inside = np.choose(
        shape[:, None, None],
        [
            down**2 + across**2 < radius**2,
            farther < radius,
            (farther < radius) & (np.minimum(abs(down), abs(across)) < 0.3 * radius),
        ],
    )
    image = np.zeros((examples, 3, size, size))
    image[np.arange(examples), colour] = inside
    image += noise * rng.standard_normal(image.shape)
    words = [
        np.array(["small", "large"])[large],
        np.array(["red", "green", "blue"])[colour],
        np.array(["disc", "square", "cross"])[shape],
        np.array(["top", "bottom"])[low],
        np.array(["left", "right"])[right],
    ]
    texts = ["{} {} {}, {} {}".format(*each) for each in zip(*words, strict=True)]
    caption = np.array(texts, "U32").view(np.uint32).reshape(-1, 32)
    sofar = np.pad(caption[:, :-1], ((0, 0), (1, 0)))
    return {"image": image, "sofar": sofar, "caption": caption}


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    made = captions(SEED)
    return {
        "image": column("image", made["image"], np.float32, (3, 16, 16)),
        "sofar": column("sofar", made["sofar"], np.int64, (32,)),
        "caption": column("caption", made["caption"], np.int64, (32,)),
    }


TEXTS = ["sofar", "caption"]


@cache
def vocabulary() -> list[str]:
    """The characters by their numbers: the most frequent of the training part; number 0 is no character."""
    columns = examples("train")
    texts = np.concatenate([columns[name].ravel() for name in TEXTS])
    codes, counts = np.unique(texts[texts > 0], return_counts=True)
    frequent = codes[np.argsort(-counts, kind="stable")][:31]
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

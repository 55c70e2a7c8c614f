"""Sun: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from statsmodels.datasets import sunspots

Columns = dict[str, np.ndarray]

NAME = "Sun"
SEED = 0
SPLIT = {"train": 0.815, "test": 0.185}
LENGTH = 24
HORIZON = 1


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    table = sunspots.load_pandas().data
    return {
        "SUNACTIVITY": column(
            "SUNACTIVITY", table["SUNACTIVITY"].to_numpy(), np.float32, ()
        ),
    }


def prepare(columns: Columns) -> Columns:
    """What the models take, made from what the source has."""
    SUNACTIVITY = columns["SUNACTIVITY"]
    SUNACTIVITY_mean = statistics()["SUNACTIVITY_mean"]
    return {**columns, "SUNACTIVITY": (SUNACTIVITY - SUNACTIVITY_mean) / 40}


@cache
def statistics() -> Columns:
    """What the preparation takes from the training split."""
    columns = examples("train")
    SUNACTIVITY = columns["SUNACTIVITY"]
    return {"SUNACTIVITY_mean": np.mean(SUNACTIVITY, (0,), keepdims=True)}


def examples(split: str) -> Columns:
    """The examples of one split, as the source has them."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    ends = [math.floor(end * total + 1e-6) for end in np.cumsum([*SPLIT.values()])]
    rows = np.split(np.arange(total), ends)[[*SPLIT].index(split)]
    rows = np.arange(max(rows[0] - LENGTH, 0), rows[-1] + 1)  # the past is known
    return {name: values[rows] for name, values in columns.items()}


def windows(columns: Columns) -> Columns:
    """All pieces of the series: LENGTH steps, and by names with `_next` the HORIZON steps after them."""
    past, ahead = {}, {}
    for name, values in columns.items():
        pieces = sliding_window_view(values, LENGTH + HORIZON, axis=0)
        pieces = np.moveaxis(pieces, -1, 1)
        past[name], ahead[f"{name}_next"] = pieces[:, :LENGTH], pieces[:, LENGTH:]
    return {**past, **ahead}


def load(split: str) -> Columns:
    """The examples of one split, ready for the models."""
    return windows(prepare(examples(split)))


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

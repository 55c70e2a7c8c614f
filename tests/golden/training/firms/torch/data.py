"""Firms: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from statsmodels.datasets import grunfeld

Columns = dict[str, np.ndarray]

NAME = "Firms"
SEED = 0
SPLIT = {"train": 0.75, "test": 0.25}
CATEGORIES = {"firm": 11}  # how many there are at most


@cache
def read() -> Columns:
    """All examples, as the source has them."""
    table = grunfeld.load_pandas().data
    return {
        "firm": texts("firm", table["firm"].to_numpy()),
        "value": column("value", table["value"].to_numpy(), np.float32, ()),
        "capital": column("capital", table["capital"].to_numpy(), np.float32, ()),
        "year": column("year", table["year"].to_numpy(), np.float32, ()),
        "invest": column("invest", table["invest"].to_numpy(), np.float32, ()),
    }


@cache
def categories() -> dict[str, list[str]]:
    """The names of each column's categories by their numbers: those of the training part, sorted."""
    columns = examples("train")
    names: dict[str, list[str]] = {}
    for column, size in CATEGORIES.items():
        found, counts = np.unique(columns[column], return_counts=True)
        found, counts = found[found != ""], counts[found != ""]
        if len(found) > size:
            raise ValueError(
                f"{column}: the training part has {len(found)} categories, not {size}"
            )
        names[column] = found.tolist()
    return names


def numbered(columns: Columns) -> Columns:
    """Categories as their numbers; ValueError for a name that the training part lacks."""
    columns = dict(columns)
    for column, names in categories().items():
        number = {name: place for place, name in enumerate(names)}
        values = columns[column].tolist()
        missing = {*values} - {*names}
        if missing:
            given = ", ".join(repr(name) for name in sorted(missing)[:3])
            raise ValueError(
                f"{column}: no category of the training part is called {given}"
            )
        columns[column] = np.array([number[value] for value in values])
    return columns


def prepare(columns: Columns) -> Columns:
    """What the models take, made from what the source has."""
    value, capital, year, invest = (
        columns["value"],
        columns["capital"],
        columns["year"],
        columns["invest"],
    )
    value_mean = statistics()["value_mean"]
    capital_mean = statistics()["capital_mean"]
    invest_mean = statistics()["invest_mean"]
    value = np.log(value / value_mean)
    capital = np.log(capital / capital_mean)
    year = (year - 1945) / 10
    invest = np.log(invest / invest_mean)
    return {
        **columns,
        "value": value,
        "capital": capital,
        "year": year,
        "invest": invest,
    }


@cache
def statistics() -> Columns:
    """What the preparation takes from the training split."""
    columns = examples("train")
    value, capital, invest = (
        columns["value"],
        columns["capital"],
        columns["invest"],
    )
    value_mean = np.mean(value, (0,), keepdims=True)  # [1]
    capital_mean = np.mean(capital, (0,), keepdims=True)  # [1]
    invest_mean = np.mean(invest, (0,), keepdims=True)  # [1]
    return {
        "value_mean": value_mean,
        "capital_mean": capital_mean,
        "invest_mean": invest_mean,
    }


def examples(split: str) -> Columns:
    """The examples of one split, as the source has them."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    total = count(columns)
    order = permutation(total, f"{SEED}:{NAME}")
    values = columns["firm"][order]
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
    return prepare(numbered(examples(split)))


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


def texts(name: str, values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """The values as text, one an example, empty where there is none; ValueError if there are more."""
    rows = np.asarray(values, dtype=object).reshape(len(values), -1)
    if rows.shape[1:] != (1,):
        raise ValueError(
            f"{name}: an example has shape {list(np.shape(values)[1:])}, not one name"
        )
    return np.array(["" if missing(v) else str(v).strip() for v in rows[:, 0]])


def missing(value: Any) -> bool:
    """Whether it stands for nothing: None, or not a number."""
    return value is None or (
        isinstance(value, float | np.floating) and bool(np.isnan(value))
    )

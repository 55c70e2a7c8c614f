"""Digits: the examples, their split and their batches."""

from __future__ import annotations

import hashlib
import math
import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from scipy.ndimage import affine_transform
from sklearn.datasets import load_digits

Columns = dict[str, np.ndarray]

NAME = "Digits"
SEED = 0
SPLIT = {"train": 0.7, "test": 0.3}
WORKERS = 2  # processes that read
AHEAD = 8  # batches that are being read while one is used


class Moments:
    """Mean and deviation of what comes in pieces (Chan, Golub and LeVeque 1979)."""

    def __init__(self, *axes: int) -> None:
        self.axes, self.count = axes, 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, x: np.ndarray) -> None:
        """Take in more examples."""
        mean = x.mean(self.axes, np.float64, keepdims=True)
        squares = np.square(x - mean).sum(self.axes, keepdims=True)
        count, off = x.size // mean.size, mean - self.mean
        total = self.count + count
        self.mean = self.mean + off * (count / total)
        self.squares = self.squares + squares + off**2 * (self.count * count / total)
        self.count = total

    def std(self) -> Any:
        """The deviation from the mean."""
        return np.sqrt(self.squares / self.count)


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


@cache
def read() -> dict[str, Any]:
    """The columns of the source; their examples are read when they are taken."""
    features, target = load_digits(return_X_y=True)
    return {
        "image": features,
        "label": target,
    }


def examples(rows: np.ndarray) -> Columns:
    """Examples by their rows, as the source has them."""
    columns = read()
    return {
        "image": column("image", columns["image"][rows], np.float32, (1, 8, 8)),
        "label": column("label", columns["label"][rows], np.int64, ()),
    }


def prepare(columns: Columns) -> Columns:
    """What the models take, made from what the source has."""
    image = columns["image"]
    image_mean_2_3 = statistics()["image_mean_2_3"]
    image_std_2_3 = statistics()["image_std_2_3"]
    return {**columns, "image": (image - image_mean_2_3) / image_std_2_3}


def take(rows: np.ndarray) -> Columns:
    """Examples by their rows, ready for the models."""
    columns, every = prepare(examples(rows)), np.arange(len(rows))
    return {name: values[every] for name, values in columns.items()}


KNOWN: Columns = {}  # the statistics, which other processes are told


def statistics() -> Columns:
    """What the preparation takes from the training split, in one pass over it."""
    if KNOWN:
        return KNOWN
    image_2_3 = Moments(0, 2, 3)
    rows = load("train")["row"]
    pieces = ((rows[start : start + 64],) for start in range(0, len(rows), 64))
    for columns in ahead(examples, pieces):
        image_2_3.add(columns["image"])
    KNOWN.update(
        {
            "image_mean_2_3": image_2_3.mean.astype(np.float32),
            "image_std_2_3": image_2_3.std().astype(np.float32),
        }
    )
    return KNOWN


def load(split: str) -> Columns:
    """The rows of one split; their examples are read batch by batch."""
    if split not in SPLIT:
        raise ValueError(f"there is no split {split!r}, only {', '.join(SPLIT)}")
    columns = read()
    values = columns["label"][np.arange(count(columns))]
    values = column("label", values, np.int64, ())
    columns = {"label": values}
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
    return {"row": rows}


HERE = threading.local()


def start() -> None:
    """Start the process that makes what a thread asks for; it ends when this one does."""
    command, pipe = [sys.executable, __file__], subprocess.PIPE
    # Control-C reaches all of a terminal's session; the process that asks will answer it.
    HERE.process = subprocess.Popen(
        command, stdin=pipe, stdout=pipe, start_new_session=True
    )


def ask(*task: Any) -> Columns:
    """What the process makes of a task; what goes wrong there is raised here."""
    process = HERE.process
    try:
        pickle.dump(task, process.stdin)
        process.stdin.flush()
        made = pickle.load(process.stdout)
    except (EOFError, OSError):
        raise RuntimeError(f"a reading process ended: {process.wait()}") from None
    if isinstance(made, Exception):
        raise made
    return {name: values.transpose(np.argsort(axes)) for name, axes, values in made}


def serve() -> None:
    """In a process of its own: make what is asked for, until nobody does."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    while True:
        try:
            make, task, known = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            KNOWN.update(known)
            made: Any = []
            for name, values in globals()[make](*task).items():
                axes = np.argsort([-step for step in values.strides], kind="stable")
                # as it lies in memory
                made.append((name, axes, values.transpose(axes)))
        except Exception as error:  # noqa: BLE001
            error.add_note(traceback.format_exc())
            made = error
        pickle.dump(made, answers)
        answers.flush()


@cache
def threads() -> ThreadPoolExecutor:
    """What makes batches, by a process each."""
    return ThreadPoolExecutor(WORKERS, initializer=start)


def ahead(
    make: Callable[..., Columns], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[Columns]:
    """What is made of each task, in their order; AHEAD more are being made meanwhile."""
    waiting: deque[Future[Columns]] = deque()
    try:
        for task in tasks:
            waiting.append(threads().submit(ask, make.__name__, task, KNOWN))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def batches(
    columns: Columns,
    size: int,
    seed: int = 0,
    epoch: int = 0,
    shuffle: bool = True,
    first: int = 0,
) -> Iterator[Columns]:
    """All examples once, in an order given by seed and epoch; the last batch may be small.

    The `first` ones are passed over, and not read.
    """
    total = count(columns)
    order = permutation(total, f"{seed}:{epoch}") if shuffle else np.arange(total)
    statistics()  # known before batches are made at the same time
    starts = range(first * size, len(order), size)
    parts = [order[start : start + size] for start in starts]
    if shuffle:
        return ahead(
            augment, ((columns["row"][rows], rows, seed, epoch) for rows in parts)
        )
    return ahead(take, ((columns["row"][rows],) for rows in parts))


def augment(taken: np.ndarray, rows: np.ndarray, seed: int, epoch: int) -> Columns:
    """A batch altered at random: each example by numbers of its own, given by seed, epoch and its row."""
    batch = take(taken)
    for place, row in enumerate(rows):
        stream = np.random.Philox(key=[seed, epoch], counter=[0, 0, row, 0])
        rng = np.random.Generator(stream)
        image = batch["image"][place]
        image = random_affine(image, rng, degrees=8, shift=0.08, scale=0.1)
        batch["image"][place] = image
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


if __name__ == "__main__":
    serve()

"""Batches of a stream beside those from memory, and beside PyTorch's `DataLoader`: `python -m benchmarks.streaming`.

Wall-clock time of an epoch, in turns in one run; a ratio is the median over rounds, so that what slows one slows its
neighbour. `rows` is an array of 784 features and a label in a file; `images` are small PNG files. The `DataLoader`s
are the idiomatic ones: a `Dataset` that gives one example, by index, with as many workers; so is `grain`, where that
is installed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import table

Epoch = Callable[[], object]

ROUNDS = 5
BATCH = 128
ROWS, IMAGES, SIDE = 40_000, 8_000, 64
COLUMNS = {"rows": "x: f32[784], y: i64", "images": f"image: f32[3, {SIDE}, {SIDE}], label: i64"}
STREAMS = {
    "in memory": "false",
    "1 thread": "{ threads: 1 }",
    "2 threads": "{ threads: 2 }",
    "2 processes": "{ processes: 2 }",
}
SPEC = (
    "data Rows {{ source = {source}  columns = {{ {columns} }}  split = {{ train: 1 }}  stream = {stream} }}"
)


def make(kind: str, folder: Path) -> str:
    """Write a source of noise, and give it in the spec's words."""
    rng = np.random.default_rng(0)
    if kind == "rows":
        np.save(folder / "rows.npy", rng.integers(0, 9, (ROWS, 785)).astype("f4"))
        return f'npy("{(folder / "rows.npy").as_posix()}")'
    from PIL import Image

    for number in range(IMAGES):
        place = folder / str(number % 10)
        place.mkdir(exist_ok=True)
        pixels = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    return f'images("{folder.as_posix()}")'


def printed(kind: str, source: str, stream: str) -> Epoch:
    """An epoch of the batches of printed code, each looked at."""
    from dlspec.api import loads
    from dlspec.emit.data import print_data
    from dlspec.runtime.project import load_project

    program = loads(SPEC.format(source=source, columns=COLUMNS[kind], stream=stream)).program
    project = load_project({"data.py": print_data(program, program.data["Rows"])})
    columns, epoch = project.data.load("train"), [0]

    def run() -> int:
        epoch[0] += 1
        return sum(project.data.count(b) for b in project.data.batches(columns, BATCH, 0, epoch[0]))

    return run


class Rows:
    """An example of the array by its number, as a tutorial has it."""

    def __init__(self, path: Path) -> None:
        self.table = np.load(path, mmap_mode="r")

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        row = np.array(self.table[index])
        return row[:784], int(row[784])


class Images:
    """A decoded image by its number."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.glob("*/*"))

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        from PIL import Image

        file = self.files[index]
        with Image.open(file) as opened:
            return np.asarray(opened.convert("RGB"), "f4").transpose(2, 0, 1), int(file.parent.name)


def loader(kind: str, folder: Path, workers: int) -> Epoch:
    """An epoch of PyTorch's batches."""
    from torch.utils.data import DataLoader

    dataset: Any = Rows(folder / "rows.npy") if kind == "rows" else Images(folder)
    made = DataLoader(
        dataset, BATCH, shuffle=True, num_workers=workers, persistent_workers=workers > 0
    )  # its processes stay, as those of the printed code do
    return lambda: sum(len(y) for _, y in made)


def grains(kind: str, folder: Path, workers: int) -> Epoch:
    """An epoch of grain's batches; its processes stay, as the others' do."""
    import grain

    source: Any = Rows(folder / "rows.npy") if kind == "rows" else Images(folder)
    steps = len(source) // BATCH
    batches = grain.MapDataset.source(source).shuffle(seed=0).repeat().batch(BATCH).to_iter_dataset()
    made = iter(batches.mp_prefetch(grain.MultiprocessingOptions(workers, per_worker_buffer_size=2)))
    return lambda: sum(len(next(made)[1]) for _ in range(steps))


def measure(kind: str) -> list[tuple[str, ...]]:
    """The rows of the table: samples a second, and the ratio to what is idiomatic with two workers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = make(kind, folder)
        runs = {what: printed(kind, source, stream) for what, stream in STREAMS.items()}
        runs |= {f"DataLoader, {n} workers": loader(kind, folder, n) for n in (0, 2)}
        if find_spec("grain"):
            runs["grain, 2 workers"] = grains(kind, folder, 2)
        seconds: dict[str, list[float]] = {what: [] for what in runs}
        for turn in range(-1, ROUNDS):  # the first warms up: processes start
            for what, run in runs.items():
                started = time.perf_counter()
                run()
                if turn >= 0:
                    seconds[what].append(time.perf_counter() - started)
    count = ROWS if kind == "rows" else IMAGES
    peers, whole = seconds["DataLoader, 2 workers"], seconds["in memory"]
    return [
        (
            f"{kind}, {what}",
            f"{count / statistics.median(own):,.0f}",
            f"{statistics.median(b / a for a, b in zip(own, peers, strict=True)):.2f}",
            f"{statistics.median(b / a for a, b in zip(own, whole, strict=True)):.2f}",
        )
        for what, own in seconds.items()
    ]


def main() -> None:
    """Both kinds, or those that are named."""
    rows = [row for kind in sys.argv[1:] or COLUMNS for row in measure(kind)]
    print(table("Batches", ["source", "samples/s", "x DataLoader, 2", "x in memory"], rows))


if __name__ == "__main__":
    main()

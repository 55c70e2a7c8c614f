"""Printed training beside scripts written by hand, in turns in one process: `python -m benchmarks.training`.

The peers are the idiomatic script (`DataLoader` and Adam; `fit`), and the best that we can write by hand (batches by
permutation, fused Adam, and where there are convolutions channels-last and max-pooling before relu). CPU time of this
process, one thread; the ratio is the median over rounds, so that what slows one slows its neighbour. Exit status 1
where a limit is missed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import table

Epoch = Callable[[], object]

ROUNDS = 7
EXAMPLES = {"cnn": 1600, "mlp": 6400}
BATCH = {"cnn": 64, "mlp": 32}
LIMITS = {
    # network, framework: (least ratio to the idiomatic script, to the best by hand)
    ("cnn", "torch"): (1.5, 0.97), ("mlp", "torch"): (1.5, 0.97),
    ("cnn", "keras"): (1.25, None), ("mlp", "keras"): (1.25, None),
}  # fmt: skip

SPECS = {
    "cnn": """
        input image: f32[N, 1, 28, 28]
        output logits = image -> Conv2d(32, 3) -> relu -> MaxPool2d(2) -> Conv2d(64, 3) -> relu -> MaxPool2d(2)
          -> flatten -> Linear(128) -> relu -> Linear(10)""",
    "mlp": """
        input image: f32[N, 64]
        output logits = image -> Linear(128) -> relu -> Linear(10)""",
}
SHAPES = {"cnn": (1, 28, 28), "mlp": (64,)}

SPEC = """
model Net {{{body}
}}
data Digits {{
  source  = npz("{path}")
  columns = {{ image: f32[{shape}], label: i64 }}
  split   = {{ train: 0.9, test: 0.1 }}
}}
train Net on Digits {{
  loss       = cross_entropy(logits, label)
  optimizer  = Adam(lr = 1e-3)
  batch_size = {batch}
}}
"""


def project(network: str, backend: str, folder: Path) -> Any:
    """The printed training of a network over noise of its shape: what is learned does not matter here."""
    from dlspec.api import loads
    from dlspec.emit.manifest import load_backend
    from dlspec.emit.project import print_project
    from dlspec.runtime.project import load_project

    rng, count = np.random.default_rng(0), EXAMPLES[network]
    path = folder / f"{network}.npz"
    np.savez(path, image=rng.random((count, *SHAPES[network]), "float32"), label=rng.integers(0, 10, count))
    shape = ", ".join(map(str, SHAPES[network]))
    spec = SPEC.format(body=SPECS[network], path=path.as_posix(), shape=shape, batch=BATCH[network])
    return load_project(print_project(loads(spec).program, "Net", load_backend(backend)))


def printed(live: Any, columns: dict[str, np.ndarray], torch_settings: bool) -> Epoch:
    """The printed training, as its `main` sets it up."""
    training, epoch = live.new_training(), [0]
    if torch_settings:
        import torch

        training.to(memory_format=torch.channels_last)

    def run() -> object:
        epoch[0] += 1
        return training.train_epoch(columns, 0, epoch[0])

    return run


def torch_peers(network: str, columns: dict[str, np.ndarray]) -> dict[str, Epoch]:
    """The idiomatic script, and the best by hand."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    images, labels = (torch.from_numpy(columns[name]) for name in ("image", "label"))
    count, size = len(labels), BATCH[network]

    def net(*halved: nn.Module) -> nn.Sequential:
        if network == "mlp":
            return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
        return nn.Sequential(
            nn.Conv2d(1, 32, 3), *halved, nn.Conv2d(32, 64, 3), *halved,
            nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
        )  # fmt: skip

    def idiomatic() -> Epoch:
        model, loss_function = net(nn.ReLU(), nn.MaxPool2d(2)), nn.CrossEntropyLoss()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        dataset = torch.utils.data.TensorDataset(images, labels)
        loader = torch.utils.data.DataLoader(dataset, batch_size=size, shuffle=True)

        def run() -> float:
            total = 0.0
            for x, y in loader:
                optimizer.zero_grad()
                loss = loss_function(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(x)
            return total / count

        return run

    def best() -> Epoch:
        model, pictures = net(nn.MaxPool2d(2), nn.ReLU()), images
        if network == "cnn":
            model = model.to(memory_format=torch.channels_last)
            pictures = images.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

        def run() -> float:
            order, total = torch.randperm(count), torch.zeros(())
            for start in range(0, count, size):
                rows = order[start : start + size]
                optimizer.zero_grad()
                loss = F.cross_entropy(model(pictures[rows]), labels[rows])
                loss.backward()
                optimizer.step()
                total += loss.detach() * len(rows)
            return float(total) / count

        return run

    return {"idiomatic": idiomatic(), "best": best()}


def keras_peers(network: str, columns: dict[str, np.ndarray]) -> dict[str, Epoch]:
    """Plain `fit`."""
    import keras
    from keras import layers

    if network == "mlp":
        images, body = columns["image"], [layers.Input((64,)), layers.Dense(128, activation="relu")]
    else:
        images = np.ascontiguousarray(columns["image"].transpose(0, 2, 3, 1))
        body = [
            layers.Input((28, 28, 1)), layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
            layers.Dense(128, activation="relu"),
        ]  # fmt: skip
    model = keras.Sequential([*body, layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    labels = columns["label"]
    return {"idiomatic": lambda: model.fit(images, labels, batch_size=BATCH[network], verbose=0)}


def measure(network: str, backend: str) -> dict[str, list[float]]:
    """CPU seconds of an epoch, of each in turn; the first round warms up."""
    if backend == "torch":
        import torch

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    with tempfile.TemporaryDirectory() as folder:
        live = project(network, backend, Path(folder))
        columns = live.data.load("train")
        peers = (torch_peers if backend == "torch" else keras_peers)(network, columns)
        runs = {**peers, "printed": printed(live, columns, backend == "torch" and network == "cnn")}
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for turn in range(-1, ROUNDS):
            for name, run in runs.items():
                started = time.process_time()
                run()
                if turn >= 0:
                    seconds[name].append(time.process_time() - started)
    return seconds


def one(network: str, backend: str) -> int:
    """Measure one pair, print its line, and say whether its limits hold."""
    seconds = measure(network, backend)
    count = EXAMPLES[network] * 9 // 10

    def ratio(peer: str) -> float | None:
        pairs = zip(seconds.get(peer, ()), seconds["printed"], strict=False)
        ratios = [theirs / ours for theirs, ours in pairs]
        return statistics.median(ratios) if ratios else None

    found = (ratio("idiomatic"), ratio("best"))
    missed = any(f is not None and limit is not None and f < limit
                 for f, limit in zip(found, LIMITS[network, backend], strict=True))  # fmt: skip
    cells = [f"{network} {backend}"]
    cells += [f"{count / min(seconds[name]):,.0f}" if name in seconds else "-"
              for name in ("idiomatic", "best", "printed")]  # fmt: skip
    cells += ["-" if f is None else f"{f:.2f}" for f in found] + ["missed" if missed else "ok"]
    print("\t".join(cells), flush=True)
    return int(missed)


def main() -> int:
    """Each pair in a process of its own, with one thread."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1",
                   "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}  # fmt: skip
    rows, missed = [], 0
    for network, backend in LIMITS:
        command = [sys.executable, "-m", "benchmarks.training", network, backend]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        missed |= done.returncode
        rows.append(done.stdout.strip().splitlines()[-1].split("\t"))
    head = ["samples/s", "idiomatic", "best by hand", "printed", "x idiomatic", "x best", "limits"]
    print(table("Training, one thread, against scripts written by hand", head, rows))
    return missed


if __name__ == "__main__":
    sys.exit(one(*sys.argv[1:]) if len(sys.argv) == 3 else main())

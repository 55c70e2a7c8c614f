"""Examples a second of what gives batches: `batches.py FOLDER`, where a printed `data.py` is. The answer is JSON.

The printed iterator, over arrays and over a memory-mapped file, beside PyTorch's `DataLoader` and `tf.data`, each with
784 features, in a new random order, 64 at a time.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

EXAMPLES, FEATURES, SIZE, ROUNDS = 20_000, 784, 64, 5


def least(batches: Callable[[int], Iterable[object]]) -> float:
    """The least CPU seconds that all batches took."""
    seconds = []
    for epoch in range(ROUNDS):
        started = time.process_time()
        for _ in batches(epoch):
            pass
        seconds.append(time.process_time() - started)
    return min(seconds)


def main() -> None:
    """Measure all four."""
    sys.path.insert(0, sys.argv[1])
    import data
    import tensorflow as tf
    import torch

    x = np.random.default_rng(0).random((EXAMPLES, FEATURES), "float32")
    y = np.zeros(EXAMPLES, "int64")
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), SIZE, shuffle=True
    )
    stream = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(EXAMPLES).batch(SIZE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        np.save(path, x)
        mapped = np.load(path, mmap_mode="r")
        found = {
            "printed": least(lambda epoch: data.batches({"x": x, "y": y}, SIZE, 0, epoch)),
            "printed, memory-mapped": least(
                lambda epoch: data.batches({"x": mapped, "y": y}, SIZE, 0, epoch)
            ),
            "DataLoader": least(lambda epoch: loader),
            "tf.data": least(lambda epoch: stream),
        }
    print(json.dumps({name: round(EXAMPLES / seconds) for name, seconds in found.items()}))


if __name__ == "__main__":
    main()

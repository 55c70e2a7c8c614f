"""One row of the table, in a process of its own: `measure.py FOLDER NETWORK BACKEND SETTING WHO...`.

It imports the printed script in FOLDER, as its owner would, and not dlspec. Of several WHO, an epoch of each comes in
turn, so that what slows one slows its neighbour; of one alone, the most memory that it held is of interest. The answer
is a line of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 9


def printed(train: Any, network: str, columns: dict[str, Any]) -> Callable[[], object]:
    """The printed training, as its `main` sets it up."""
    training, epochs = train.Training(train.Net()), iter(range(10**6))
    if "to(memory_format" in Path(train.__file__).read_text():
        training.to(memory_format=importlib.import_module("torch").channels_last)
    return lambda: training.train_epoch(columns, 0, next(epochs))


def main() -> None:
    """Measure, and print what was found."""
    folder, network, backend, setting, *who = sys.argv[1:]
    threads = int(os.environ["OMP_NUM_THREADS"])
    sys.path.insert(0, folder)
    if backend == "torch":
        importlib.import_module("torch").set_num_threads(threads)
    import train

    columns = train.data.load("train")
    hand = importlib.import_module(f"benchmarks.speed.by_hand_{backend}")
    runs = {
        name: printed(train, network, columns)
        if name == "printed"
        else getattr(hand, name)(network, columns, train.BATCH_SIZE, setting)
        for name in who
    }
    clock = time.process_time if threads == 1 else time.perf_counter
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(-2, ROUNDS if len(who) > 1 else 1):  # two rounds warm up
        for name, run in runs.items():
            started = clock()
            run()
            if turn >= 0:
                seconds[name].append(clock() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    found = {"seconds": seconds, "peak": peak, "examples": train.data.count(columns)}
    print(json.dumps(found))


if __name__ == "__main__":
    main()

"""CPU time, measured so that a busy machine does not decide the outcome.

Processes are compared in pairs run in turns, and the ratio is the median over the pairs: what slows one
slows its neighbour. Work inside this process is measured in CPU time, the best of several runs.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Compiled modules are kept between runs on a user's machine, so here too.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Pair:
    """Two commands compared: median CPU seconds of each, and the median of their ratios."""

    left: float
    right: float
    ratio: float


def process_cpu(command: Sequence[str]) -> float:
    """The CPU seconds, user and system, of a process and its children; raises if it fails."""
    return process_cost(command)[0]


def process_cost(command: Sequence[str]) -> tuple[float, int]:
    """The CPU seconds of a process, and the most bytes of memory that it held; raises if it fails."""
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} gave exit code {process.returncode}:\n{complaint.decode()}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def paired(left: Sequence[str], right: Sequence[str], rounds: int = 15) -> Pair:
    """Compare two commands, in turns; which goes first alternates. One round before warms the disk cache."""
    times: list[tuple[float, float]] = []
    for turn in range(-1, rounds):
        if turn % 2:
            second = process_cpu(right)
            first = process_cpu(left)
        else:
            first = process_cpu(left)
            second = process_cpu(right)
        if turn >= 0:
            times.append((first, second))
    lefts, rights = zip(*times, strict=True)
    ratio = statistics.median(first / second for first, second in times)
    return Pair(statistics.median(lefts), statistics.median(rights), ratio)


def cpu(work: Callable[[], Any], runs: int = 3) -> float:
    """The least CPU seconds that `work` took in this process. The collector stays on, as it is for users."""
    best = float("inf")
    for _ in range(runs):
        gc.collect()
        started = time.process_time()
        result = work()
        best = min(best, time.process_time() - started)
        del result
    return best


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text in columns, the first to the left and the others to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in (head, ["-" * w for w in widths], *rows)
    ]
    return "\n".join([title, *lines, ""])

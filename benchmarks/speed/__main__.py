"""Printed training beside scripts written by hand: `python -m benchmarks.speed [NETWORK...] [--record]`.

Each row is measured in a process of its own, with one thread and with two; the most memory in one process for each
script. Exit status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.speed.measure import ROUNDS
from benchmarks.speed.networks import NETWORKS, write_project
from benchmarks.speed.page import HEAD, cells, keep
from benchmarks.timing import table

ROWS = {
    # network, framework, setting of `train`: the least ratio to the scripts
    ("cnn", "torch", ""): {"idiomatic": 1.5, "best": 0.97},
    ("mlp", "torch", ""): {"idiomatic": 1.5, "best": 0.97},
    ("lstm", "torch", ""): {"best": 0.97},
    ("transformer", "torch", ""): {"best": 0.97},
    ("transformer", "torch", "compile = true"): {"best": 0.97},
    ("cnn", "torch", "precision = bf16"): {"best": 0.97},
    ("lstm", "torch", "precision = bf16"): {"best": 0.97},
    ("cnn", "keras", ""): {"idiomatic": 1.25},
    ("mlp", "keras", ""): {"idiomatic": 1.25},
    ("lstm", "keras", ""): {},
    ("transformer", "keras", ""): {},
}
WHO = {"torch": ("idiomatic", "best", "printed"), "keras": ("idiomatic", "printed")}
SPARE = 1.02  # how much more memory is within what the same script takes from run to run


def measured(file: str, threads: int, *arguments: str) -> dict[str, Any]:
    """What a script of this folder found, with so many threads."""
    environment = {
        **os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads), "TF_NUM_INTEROP_THREADS": str(threads),
    }  # fmt: skip
    root = Path(__file__).resolve().parents[2]
    environment["PYTHONPATH"] = str(root)
    command = [sys.executable, str(Path(__file__).with_name(file)), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def peak(*arguments: str) -> int:
    """The most MB that a script holds, the least of three runs: what an allocator keeps beside it is chance."""
    return round(min(measured("measure.py", 1, *arguments)["peak"] for _ in range(3)) / 1e6)


def row(network: str, backend: str, setting: str, threads: int) -> dict[str, Any]:
    """One row: rates, ratios, memory, and which limits are missed."""
    limits = ROWS[network, backend, setting]
    with tempfile.TemporaryDirectory() as folder:
        write_project(network, backend, setting, Path(folder))
        arguments = (folder, network, backend, setting)
        found = measured("measure.py", threads, *arguments, *WHO[backend])
        least = {who: min(seconds) for who, seconds in found["seconds"].items()}
        memory = {}
        if threads == 1 and "compile" not in setting:
            memory = {who: peak(*arguments, who) for who in WHO[backend]}
    ratios = {who: least[who] / least["printed"] for who in WHO[backend] if who != "printed"}
    missed = [who for who, limit in limits.items() if ratios[who] < limit]
    if memory and memory["printed"] > SPARE * max(m for who, m in memory.items() if who != "printed"):
        missed.append("memory")
    return {
        "network": network, "backend": backend, "setting": setting, "threads": threads, "rounds": ROUNDS,
        "rates": {who: round(found["examples"] / seconds) for who, seconds in least.items()},
        "ratios": {who: round(ratio, 3) for who, ratio in ratios.items()},
        "limits": limits, "memory": memory, "missed": missed,
    }  # fmt: skip


def iterators() -> dict[str, Any]:
    """Examples a second of what gives batches."""
    with tempfile.TemporaryDirectory() as folder:
        write_project("mlp", "torch", "", Path(folder))
        return measured("batches.py", 1, folder)


def main() -> int:
    """The command line; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help=f"of {', '.join(NETWORKS)}, batches [all]"
    )
    parser.add_argument("--backend", choices=["torch", "keras"])
    parser.add_argument("--threads", type=int, choices=[1, 2], help="[both]")
    parser.add_argument(
        "--record", action="store_true", help="keep it in docs/speed.json, and write docs/speed.md"
    )
    parser.add_argument("--page", action="store_true", help="only write the page from what is kept")
    options = parser.parse_args()
    if options.page:
        keep({})
        return 0
    rows = []
    for threads in [options.threads] if options.threads else [1, 2]:
        for network, backend, setting in ROWS:
            if (not options.networks or network in options.networks) and options.backend in (None, backend):
                found = row(network, backend, setting, threads)
                rows.append(found)
                print("  ".join(cells(found)), file=sys.stderr, flush=True)
                if options.record:
                    keep({f"{threads} {network} {backend} {setting}".strip(): found})
    if not options.networks or "batches" in options.networks:
        figures = iterators()
        print(figures, file=sys.stderr)
        if options.record:
            keep({"batches": figures})
    if rows:
        print(table("Training, against scripts written by hand", HEAD, [cells(each) for each in rows]))
    return int(any(each["missed"] for each in rows))


if __name__ == "__main__":
    sys.exit(main())

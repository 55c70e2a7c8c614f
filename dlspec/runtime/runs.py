"""Runs on disk: what was trained (``run.json``), whether the same was trained before, and going on with it."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from dlspec.diagnostics import fail
from dlspec.ir.data import DataSet
from dlspec.ir.graph import Program
from dlspec.weights.store import replacing

RECORD = "run.json"
LOCK = "lock"
PATIENCE = 10.0  # seconds in which a process that was killed is gone
PROGRAM = "program.json"


@dataclass
class Run:
    """What ``run.json`` says of a run.

    fingerprint
        of the printed code, the initial weights, the arguments and the data.
    arguments
        what ``train.py`` is given beside ``--out``; `cwd` is where it runs, from which paths of data begin.
    processes
        how many train together.
    sources, fold
        what the command line said of the data, as it said it; None where it named no fold.
    status
        running (or killed), finished, or failed.
    """

    spec: str
    training: str
    backend: str
    fingerprint: str
    arguments: list[str]
    cwd: str
    status: str = "running"
    seconds: float = 0.0
    processes: int = 1
    sources: list[str] = field(default_factory=list)
    fold: int | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write ``run.json`` into the run's folder; beside it ``program.json`` is the checked spec."""
        with replacing(folder / RECORD) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")


def read_run(folder: Path) -> Run | None:
    """What ``run.json`` says, None where there is none that can be read."""
    try:
        return Run(**json.loads((folder / RECORD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def held(folder: Path) -> Iterator[list[int]]:
    """A run's folder, to be trained in by nobody else: by the descriptors that it gives, as long as one is open.

    A training that inherits them holds the folder by itself. Raises `SpecError` (DLS0821).
    """
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        yield []
        return
    with (folder / LOCK).open("w") as file:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise fail("DLS0821", f"the training in `{folder}` is still running",
                               hint="wait for its end, or stop it") from None  # fmt: skip
                time.sleep(0.1)
        yield [file.fileno()]


def read_program(folder: Path) -> Program | None:
    """The program of a run, None where it is not there."""
    try:
        return Program.model_validate_json((folder / PROGRAM).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def same_run(folders: Iterable[Path], fingerprint: str) -> tuple[Path, Run] | None:
    """A run of this fingerprint among some folders; a finished one before all others."""
    found = [(folder, run) for folder in folders if (run := read_run(folder))]
    same = [(folder, run) for folder, run in found if run.fingerprint == fingerprint]
    finished = [pair for pair in same if pair[1].status == "finished"]
    return next(iter([*finished, *same]), None)


def fingerprint(
    files: Mapping[str, str], weights: Mapping[str, Any], arguments: Iterable[str], data: DataSet
) -> str:
    """A hash of all that decides what a training ends with, the machine and the versions of packages apart."""
    total = sha256()
    for part in _parts(files, weights, arguments, data):
        total.update(f"{len(part)}:".encode())
        total.update(part)
    return total.hexdigest()


def _parts(
    files: Mapping[str, str], weights: Mapping[str, Any], arguments: Iterable[str], data: DataSet
) -> Iterator[bytes]:
    for name, text in sorted(files.items()):
        yield f"{name}\n{text}".encode()
    for name, array in sorted(weights.items()):
        yield f"{name} {array.dtype} {array.shape}".encode()
        yield sha256(array.tobytes()).digest()
    yield "\0".join(arguments).encode()
    for path in data_files(data):
        yield f"{path} {_content(path)}".encode()


def data_files(data: DataSet) -> list[Path]:
    """The files that a data set is read from: every argument of its source that is one, and what is in folders."""
    given = [v for v in (*data.source.args, *data.source.options.values()) if isinstance(v, str)]
    found = []
    for path in map(Path, given):
        found += (
            sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path] * path.is_file()
        )
    return found


def _content(path: Path) -> str:
    """What tells one content of a file from another: a hash, of files over 64 MiB the size and the time."""
    state = path.stat()
    if state.st_size > 1 << 26:
        return f"{state.st_size} {state.st_mtime_ns}"
    return sha256(path.read_bytes()).hexdigest()


def environment(backend: str) -> dict[str, str]:
    """What a run ran in: Python, the machine, and the packages that matter."""
    packages = {"torch": ["torch"], "keras": ["keras", "tensorflow", "tensorflow-cpu", "jax"]}[backend]
    found = {
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": str(os.cpu_count()),
    }
    for name in ["dlspec", "numpy", *packages]:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found

"""Running printed projects: in this process, or as a stranger would, by ``python train.py``.

Printed files import each other by plain names (``import data``), and every project has the same ones. Here
they become modules under names of their own, so that any number of projects live side by side.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import RLock
from types import ModuleType
from typing import Any

from dlspec.runtime.watched import HELD, MARK
from dlspec.weights.store import replacing

MODULES = ("draws", "processes", "model", "data", "weights", "checkpoints", "train")
"""The files of a project, each after those that it imports."""

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
"""TensorFlow talks on start-up."""

UNBUFFERED = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}

PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
"""PyTorch's threads wait for each other by spinning: beside another busy process small models were 10 times
slower than with this (measured on two cores; no difference on an idle machine).
"""

_numbers = count(1)
_lock = RLock()


class ProjectError(Exception):
    """A printed project did not run; the message ends with what it said."""


@dataclass(frozen=True, eq=False)
class Project:
    """A printed project as live modules; `modules` are those that the folder has, by file name."""

    folder: Path
    modules: Mapping[str, ModuleType]
    _owned: Any = field(default=None, repr=False)

    def __getattr__(self, name: str) -> ModuleType:
        try:
            return self.modules[name]
        except KeyError:
            raise AttributeError(f"the project in {self.folder} has no {name}.py") from None

    def new_training(self) -> Any:
        """A `Training` over new models, as ``main`` of ``train.py`` makes it."""
        source = Path(str(self.train.__file__)).read_text("utf-8")
        calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
        made = next(node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "Training")
        return eval(ast.unparse(made), self.train.__dict__)


def load_project(source: Path | str | Mapping[str, str]) -> Project:
    """Import the files of a folder, or of a mapping from file name to text, under names of their own."""
    if isinstance(source, Mapping):
        owned = tempfile.TemporaryDirectory(prefix="dlspec-")
        write_project(source, Path(owned.name))
        return _import(Path(owned.name), owned)
    return _import(Path(source))


def write_project(files: Mapping[str, str], folder: Path) -> None:
    """Write a project; each file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        with replacing(folder / name) as temporary:
            temporary.write_text(text, "utf-8", newline="\n")


def run_training(
    folder: Path | str,
    arguments: Sequence[str] = (),
    *,
    on_line: Callable[[str], object] | None = None,
    on_event: Callable[[dict[str, Any]], object] | None = None,
    python: str = sys.executable,
    cwd: Path | str | None = None,
    processes: int = 1,
    inherits: Sequence[int] = (),
) -> None:
    """Run ``python train.py`` in its own process, handing on its output line by line. Raises `ProjectError`.

    With `on_event` it does not outlive this process.

    on_event
        is handed what ``watched.py`` tells, which then runs the script.
    processes
        how many train together, started by ``torchrun``.
    inherits
        descriptors of open files that the process keeps open.
    """
    code = Path(folder).resolve()
    script = (
        [str(Path(__file__).with_name("watched.py")), str(code)] if on_event else [str(code / "train.py")]
    )
    with tempfile.TemporaryDirectory(prefix="dlspec-") as logs:
        launch = torchrun(processes, logs) if processes > 1 else []
        with (
            (Path(logs) / "errors").open("w+", encoding="utf-8", errors="replace") as errors,
            subprocess.Popen(
                [python, *launch, *script, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**_environment(processes), **os.environ, **UNBUFFERED, HELD: "1"},
                cwd=cwd,
                pass_fds=inherits,
            ) as process,
        ):
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    if on_event and line.startswith(MARK):
                        on_event(json.loads(line[1:]))
                    elif on_line:
                        on_line(line.rstrip("\n"))
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            last = _last_words(Path(logs))
            raise ProjectError(f"{Path(folder) / 'train.py'} ended with status {process.returncode}\n{last}")


def torchrun(processes: int, logs: str) -> list[str]:
    """How Python starts a script in several processes, whose standard error goes into the folder `logs`.

    They are not restarted: a run goes on from its checkpoint when it is started again.
    """
    count = str(processes)
    options = ["--standalone", "--nproc-per-node", count, "--log-dir", logs, "--redirects", "2"]
    return ["-m", "torch.distributed.run", *options]


def _environment(processes: int) -> dict[str, str]:
    """What is set where the caller's environment does not say it: several processes share the cores."""
    shared = {"OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // processes))} if processes > 1 else {}
    return {**QUIET, **PATIENT, **shared}


def _last_words(logs: Path) -> str:
    """The last lines of standard error: of several processes, of that which failed first."""
    written = [
        log for log in logs.glob("*/attempt_*/*/stderr.log") if "Error" in log.read_text("utf-8", "replace")
    ]
    log = min(written, key=lambda log: log.stat().st_mtime_ns, default=logs / "errors")
    return "\n".join(log.read_text("utf-8", "replace").rstrip().split("\n")[-15:])


def _import(folder: Path, owned: Any = None) -> Project:
    names = [name for name in MODULES if (folder / f"{name}.py").is_file()]
    if not names:
        raise ProjectError(f"there is no printed project in {folder}")
    prefix = f"dlspec_project_{next(_numbers)}"
    modules: dict[str, ModuleType] = {}
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    with _aliases(), native_output_held():
        for name in names:
            modules[name] = _execute(folder / f"{name}.py", f"{prefix}_{name}", name)
    return Project(folder, modules, owned)


def _execute(file: Path, unique: str, alias: str) -> ModuleType:
    """Run a file as the module `unique`, which others of its project import as `alias`."""
    module = ModuleType(unique)
    module.__file__ = str(file)
    sys.modules[unique] = sys.modules[alias] = module
    try:
        exec(compile(file.read_text("utf-8"), str(file), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[unique]
        raise
    return module


@contextmanager
def native_output_held() -> Iterator[None]:
    """Hold back what libraries written in C++ say on standard error while they start; all of it on failure."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(saved, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


@contextmanager
def _aliases() -> Iterator[None]:
    """The plain names mean this project's modules, and afterwards what they meant before."""
    with _lock:
        before = {name: sys.modules.pop(name, None) for name in MODULES}
        try:
            yield
        finally:
            for name, module in before.items():
                sys.modules.pop(name, None)
                if module is not None:
                    sys.modules[name] = module

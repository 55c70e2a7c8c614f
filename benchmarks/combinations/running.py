"""Running a combination: both frameworks from the same weights to the same ones, stopped and resumed to the bit."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.combinations.spec import Levels, has, rows, spec
from dlspec.diagnostics import SpecError
from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import in_double
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.ir.training import Training
from dlspec.runtime.project import load_project, write_project
from dlspec.runtime.training import initial_weights
from dlspec.runtime.verify.sides import FRAMEWORKS
from dlspec.runtime.verify.trajectory import COMPUTING, double_precision
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import load_weights, save_weights

LIMIT = 1e-9
"""The largest difference between frameworks in f64, relative to the largest number of a weight, or to a metric."""
LOOSE = 0.05
"""The same of losses where precision is lower."""
NOT_COMPARED = ("free", "half")


class Stopped(BaseException):
    """What stands for the kill of a run."""


def refused(levels: Levels, folder: Path) -> str:
    """The code and the message with which checking refuses a combination; empty where it is fine."""
    (folder / "net.dls").write_text(spec(levels), "utf-8")
    try:
        load_program(folder / "net.dls")
    except SpecError as error:
        found = error.diagnostics[0]
        return f"{found.code} {found.message}"
    except Exception as error:  # a traceback is what the campaign looks for
        return f"CRASH {error!r}"
    return ""


def faults(levels: Levels, folder: Path) -> list[str]:
    """What is wrong with a combination that checking accepts."""
    folder.mkdir(parents=True, exist_ok=True)
    rows(folder)
    (folder / "net.dls").write_text(spec(levels), "utf-8")
    with contextlib.chdir(folder):
        program = load_program(Path("net.dls"))
        start = Path("start.safetensors").absolute()
        save_weights(start, _start(program, Path.cwd()))
        found, ends = [], {}
        for name in FRAMEWORKS:
            try:
                ends[name] = _ended(name, program, levels, start, Path.cwd() / name)
                found += _resumed(name, program, levels, start, Path.cwd() / name)
            except Exception:
                found.append(f"{name}: {traceback.format_exc().rstrip()[-900:]}")
        if len(ends) == len(FRAMEWORKS):
            found += _differences(levels, *ends.values())
    return found


def timed_faults(job: tuple[Levels, Path]) -> tuple[list[str], float]:
    """The same, and the seconds that it took."""
    begun = time.perf_counter()
    return faults(*job), time.perf_counter() - begun


def _start(program: Program, folder: Path) -> dict[str, Any]:
    """The weights to begin with; what an earlier training ends with is drawn."""
    earlier = {}
    if "Before" in program.trainings:
        earlier["Before"] = folder / "before.safetensors"
        save_weights(earlier["Before"], draw_weights(program, "Net", 5))
    return initial_weights(program, program.trainings["Net"], 0, earlier=earlier)


def _printed(name: str, program: Program, levels: Levels) -> dict[str, str]:
    """The project, in f64 unless the precision is what is asked for."""
    if name == "keras":
        alone = {n: t.model_copy(update={"parallel": None}) for n, t in program.trainings.items()}
        program = program.model_copy(update={"trainings": alone})
    if has(levels, "half"):
        return print_project(program, "Net", load_backend(name))
    files = print_project(program, "Net", in_double(load_backend(name)))
    return double_precision(files, (*COMPUTING, "data.py"))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _main(name: str, code: Path, levels: Levels, arguments: list[str], stop: int = 0) -> None:
    """Run the printed script in this process; at the checkpoint number `stop` it is as if killed."""
    project = load_project(code)
    side = FRAMEWORKS[name](project, "", code, not has(levels, "half"), "")
    if stop:
        checkpoints: Any = project.checkpoints
        save, count = checkpoints.save, [0]

        def counted(*given: Any) -> None:
            save(*given)
            count[0] += 1
            if count[0] == stop:
                raise Stopped

        checkpoints.save = counted
    before, sys.argv = sys.argv, ["train.py", *arguments]
    try:
        with side.policy(), _quiet(), contextlib.suppress(Stopped):
            train: Any = project.train
            train.main()
    finally:
        sys.argv = before


def _ended(name: str, program: Program, levels: Levels, start: Path, folder: Path) -> dict[str, Any]:
    """What a framework comes to: the weights, and the figures of every epoch."""
    write_project(_printed(name, program, levels), folder / "code")
    _main(name, folder / "code", levels, ["--weights", str(start), "--out", str(folder / "whole")])
    found = json.loads((folder / "whole/metrics.json").read_text())
    numbers = {
        f"epoch {number} {key}": np.asarray(value)
        for number, result in enumerate(found["history"])
        for key, value in result.items()
        if key != "seconds"
    }
    numbers |= {
        f"{split} {key}": np.asarray(value)
        for split, result in found["results"].items()
        for key, value in result.items()
    }
    return {**load_weights(folder / "whole/weights.safetensors"), **numbers}


def _resumed(name: str, program: Program, levels: Levels, start: Path, folder: Path) -> list[str]:
    """Whether a run that stops at its second checkpoint goes on to the same bits."""
    training: Training = program.trainings["Net"]
    if training.checkpoint is None:
        return []
    arguments = ["--weights", str(start), "--out", str(folder / "again")]
    _main(name, folder / "code", levels, arguments, stop=2)
    if (folder / "again/weights.safetensors").exists():
        return []  # it ended before
    _main(name, folder / "code", levels, [*arguments, "--resume"])
    found = []
    for file in ("weights.safetensors", "best.safetensors", "steps.jsonl"):
        whole, again = (folder / run / file for run in ("whole", "again"))
        if whole.exists() and whole.read_bytes() != again.read_bytes():
            found.append(f"{name}: resumed, {file} is another")
    return found


def _differences(levels: Levels, one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Where PyTorch and Keras are not the same."""
    found = []
    if one.keys() != other.keys():
        found.append(f"the frameworks tell different things: {sorted(one.keys() ^ other.keys())}")
    if any(has(levels, mark) for mark in NOT_COMPARED):
        return found
    for name in one.keys() & other.keys():
        a, b = (np.asarray(each[name], np.float64) for each in (one, other))
        error = float(np.abs(a - b).max(initial=0) / max(np.abs(a).max(initial=0), 1e-6))
        if not error <= LIMIT:
            found.append(f"{name} differs by {error:.1e}")
    return sorted(found)[:6]

"""Running a sweep on Optuna: each trial is an ordinary ``dlspec train`` with other values of `let`s.

What was tried is kept in ``study.journal`` in the folder of the sweep, so that the same command goes on after a kill.
Each trial has a sampler of its own, seeded by the sweep's seed and how many trials came to their end before: a sweep
that was interrupted suggests what it would have suggested.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlspec.diagnostics import fail
from dlspec.ir.sweep import Range, Sweep
from dlspec.runtime.watched import HELD

STUDY = "study.journal"
RECORD = "sweep.json"
LOCK = "lock"
AGAIN = "again"  # of a study: the numbers of trials that were cut off, and do not count
PAUSE = 0.2  # seconds between two looks at how a trial does
EPOCHS_BEFORE_PRUNING = 2
TRIALS_BEFORE_PRUNING = 4


@dataclass(frozen=True)
class Tried:
    """A trial: its values, what the objective came to (None where it failed), and how it ended."""

    number: int
    values: dict[str, Any]
    objective: float | None
    state: str
    seconds: float
    why: str = ""


class Running:
    """A sweep in its folder, which no other process may use meanwhile; `command` begins the command line of each trial.

    Raises `SpecError` where the folder holds another sweep (DLS0818), or a sweep is running there (DLS0820).
    """

    def __init__(self, sweep: Sweep, folder: Path, command: list[str]) -> None:
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna, self.sweep, self.folder, self.command = optuna, sweep, folder, command
        self._claim()
        self.study = optuna.create_study(
            storage=optuna.storages.JournalStorage(JournalFileBackend(str(folder / STUDY))),
            study_name=sweep.name,
            direction="minimize" if sweep.goal == "min" else "maximize",
            pruner=self._pruner(),
            load_if_exists=True,
        )
        self._forget_unfinished()

    def run(self, on_trial: Callable[[Tried], object]) -> None:
        """All trials that are left to do, or as many as begin within the time."""
        for number, given in self._left():
            if self.sweep.timeout is not None and self._spent() >= self.sweep.timeout:
                return
            self.study.sampler = self._sampler((self.sweep.seed * 1_000_003 + number) % 2**32)
            trial = self._ask(given)
            values = {name: self._suggest(trial, name) for name in self.sweep.settings}
            start = time.perf_counter()
            state, objective, why = self._train(trial, values)
            self.study.tell(trial, objective if state == "complete" else None, state=self._states[state])
            on_trial(Tried(trial.number, values, objective, state, time.perf_counter() - start, why))

    def tried(self) -> list[Tried]:
        """All trials that have ended."""
        cut_off = self.study.user_attrs.get(AGAIN, [])
        return [
            Tried(
                trial.number,
                {name: json.loads(v) if isinstance(v, str) else v for name, v in trial.params.items()},
                _objective(trial),
                trial.state.name.lower(),
                trial.duration.total_seconds() if trial.duration else 0.0,
            )
            for trial in self.study.get_trials(deepcopy=True)
            if trial.state.is_finished() and trial.number not in cut_off
        ]

    # --- what is tried ----------------------------------------------------------------------------

    def _left(self) -> Iterator[tuple[int, dict[str, Any] | None]]:
        """How many came before each trial that is left, and its values where all combinations are tried."""
        done = self.tried()
        if self.sweep.trials is not None:
            yield from ((number, None) for number in range(len(done), self.sweep.trials))
            return
        candidates = [each for each in self.sweep.settings.values() if isinstance(each, list)]
        every = [dict(zip(self.sweep.settings, v, strict=True)) for v in itertools.product(*candidates)]
        known = [tried.values for tried in done]
        yield from enumerate((values for values in every if values not in known), len(done))

    def _ask(self, values: dict[str, Any] | None) -> Any:
        """A new trial, with these values if they are given."""
        waiting = [t for t in self.study.trials if t.state == self.optuna.trial.TrialState.WAITING]
        if values is not None and not waiting:  # the machine may have gone down just before it was asked for
            self.study.enqueue_trial({name: json.dumps(value) for name, value in values.items()})
        return self.study.ask()

    def _spent(self) -> float:
        """The seconds that trials took until now."""
        return sum(tried.seconds for tried in self.tried())

    def _sampler(self, seed: int) -> Any:
        samplers = self.optuna.samplers
        kinds = {"tpe": samplers.TPESampler, "random": samplers.RandomSampler}
        return kinds[self.sweep.sampler](seed=seed)

    def _pruner(self) -> Any:
        pruners = self.optuna.pruners
        if self.sweep.prune == "median":
            return pruners.MedianPruner(TRIALS_BEFORE_PRUNING, EPOCHS_BEFORE_PRUNING)
        return {"halving": pruners.SuccessiveHalvingPruner, "none": pruners.NopPruner}[self.sweep.prune]()

    def _suggest(self, trial: Any, name: str) -> Any:
        candidates = self.sweep.settings[name]
        if not isinstance(candidates, Range):
            return json.loads(trial.suggest_categorical(name, [json.dumps(v) for v in candidates]))
        whole = isinstance(candidates.low, int) and isinstance(candidates.high, int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        return suggest(name, candidates.low, candidates.high, log=candidates.log)

    # --- one trial --------------------------------------------------------------------------------

    def _train(self, trial: Any, values: Mapping[str, Any]) -> tuple[str, float | None, str]:
        """How it ended, what the objective came to, and why it failed."""
        out = self.folder / f"trial-{trial.number:03}"
        settings = [word for name, value in values.items() for word in ("--set", setting(name, value))]
        command = [
            *self.command,
            *settings,
            "--name",
            self.sweep.train,
            "--out",
            str(out),
            "--force",
            "--json",
        ]
        found: list[float] = []
        wrong = ""
        with _process(command) as (process, output):
            while process.poll() is None and not wrong:
                time.sleep(PAUSE)
                found, wrong = self._report(trial, out, found)
                if not wrong and trial.should_prune():
                    return "pruned", found[-1], ""
            said = output()
        if not wrong:
            found, wrong = self._report(trial, out, found)
        if wrong or process.returncode or not found:
            return "fail", None, wrong or _first_error(said)
        best = min if self.sweep.goal == "min" else max
        return "complete", best(found), ""

    def _report(self, trial: Any, out: Path, known: list[float]) -> tuple[list[float], str]:
        """Hand on what epochs came to since the `known` ones; all of them, and what is wrong with the last, if so."""
        for file in (out / "metrics.jsonl", out / self.sweep.train / "metrics.jsonl"):
            if not file.is_file():
                continue
            lines = [json.loads(line) for line in file.read_text("utf-8").split("\n")[:-1]]
            found = [float(line[self.sweep.metric]) for line in lines if self.sweep.metric in line]
            for epoch, value in enumerate(found[len(known) :], len(known)):
                if not math.isfinite(value):
                    return found[:epoch], f"{self.sweep.metric} is {value} in epoch {epoch + 1}"
                trial.report(value, epoch)
            return found, ""
        return known, ""

    @property
    def _states(self) -> dict[str, Any]:
        state = self.optuna.trial.TrialState
        return {"complete": state.COMPLETE, "pruned": state.PRUNED, "fail": state.FAIL}

    # --- the folder -------------------------------------------------------------------------------

    def _claim(self) -> None:
        """Say whose folder it is; another sweep's trials would be taken for this one's."""
        from filelock import FileLock, Timeout

        from dlspec.weights.store import replacing

        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(self.folder / LOCK)
        try:
            self.lock.acquire(blocking=False)
        except Timeout:
            raise fail("DLS0820", f"a sweep is running in `{self.folder}`",
                       hint="wait for its end, or give another `--out`") from None  # fmt: skip
        # That more is to be tried makes it no other sweep.
        spec = self.sweep.model_dump(mode="json", exclude={"trials", "timeout"})
        record, own = self.folder / RECORD, {"sweep": spec, "command": self.command}
        if not record.is_file():
            with replacing(record) as temporary:
                temporary.write_text(json.dumps(own, indent=2) + "\n", "utf-8")
        elif json.loads(record.read_text("utf-8")) != own:
            self.close()
            raise fail("DLS0818", f"`{self.folder}` holds another sweep, or the same one of other settings",
                       hint="give another `--out`")  # fmt: skip

    def close(self) -> None:
        """Leave the folder to others."""
        self.lock.release()

    def _forget_unfinished(self) -> None:
        """What was being tried when the sweep was killed does not count, and so is tried again."""
        cut_off = [
            trial.number
            for trial in self.study.get_trials(deepcopy=False)
            if trial.state == self.optuna.trial.TrialState.RUNNING
        ]
        self.study.set_user_attr(AGAIN, [*self.study.user_attrs.get(AGAIN, []), *cut_off])
        for number in cut_off:
            self.study.tell(number, state=self._states["fail"])


def _objective(trial: Any) -> float | None:
    """What a trial came to; the last epoch of one that was stopped."""
    value: float | None = trial.value
    return trial.intermediate_values.get(trial.last_step) if value is None else value


def setting(name: str, value: Any) -> str:
    """``NAME=VALUE`` as ``--set`` takes it."""
    return f"{name}={json.dumps(value)}"


@contextmanager
def _process(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """A command in a process group of its own, which outlives neither the block nor this process, and what it wrote."""
    environment = {**os.environ, HELD: "1"}  # its standard input closes when this process is gone
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=file, stderr=file, start_new_session=True, env=environment
        )

        def output() -> str:
            file.seek(0)
            return file.read().decode("utf-8", "replace")

        try:
            yield process, output
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.communicate()


def _first_error(said: str) -> str:
    """The message of the first diagnostic in what ``dlspec train --json`` wrote, or its last line."""
    try:
        return str(json.loads(said[said.index("{") :])["diagnostics"][0]["message"])
    except (ValueError, KeyError, IndexError):
        return (said.strip().split("\n") or [""])[-1]


def train_command(spec: Path, backend: str, more: list[str]) -> list[str]:
    """The start of the command line that trains a spec."""
    return [sys.executable, "-m", "dlspec", "train", str(spec), "--backend", backend, *more]

"""Running a sweep on Optuna: each trial is an ordinary ``dlspec train`` with other values of `let`s.

What was tried is kept in ``study.journal`` in the folder of the sweep, so that the same command goes on after a kill.
Each trial has a sampler of its own, seeded by the sweep's seed and the trial's number: a sweep that was interrupted
suggests what it would have suggested.
"""

from __future__ import annotations

import itertools
import json
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
from dlspec.ir.training import Range, Sweep

STUDY = "study.journal"
RECORD = "sweep.json"
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
    """A sweep in its folder. `command` is the start of the command line of each trial.

    Raises `SpecError` (DLS0818) where the folder holds another sweep.
    """

    def __init__(self, sweep: Sweep, folder: Path, command: list[str]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna, self.sweep, self.folder, self.command = optuna, sweep, folder, command
        self._claim()
        self.study = optuna.create_study(
            storage=optuna.storages.JournalStorage(
                optuna.storages.journal.JournalFileBackend(str(folder / STUDY))
            ),
            study_name=sweep.name,
            direction="minimize" if sweep.goal == "min" else "maximize",
            pruner=optuna.pruners.MedianPruner(TRIALS_BEFORE_PRUNING, EPOCHS_BEFORE_PRUNING)
            if sweep.prune
            else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
        self._repeat_unfinished()

    def run(self, on_trial: Callable[[Tried], object]) -> None:
        """All trials that are left to do."""
        for number in self._left():
            seed = (self.sweep.seed * 1_000_003 + number) % 2**32
            self.study.sampler = self.optuna.samplers.TPESampler(seed=seed)
            trial = self.study.ask()
            values = {name: self._suggest(trial, name) for name in self.sweep.settings}
            start = time.perf_counter()
            state, objective, why = self._train(trial, values)
            self.study.tell(trial, objective if state == "complete" else None, state=self._states[state])
            on_trial(Tried(trial.number, values, objective, state, time.perf_counter() - start, why))

    def tried(self) -> list[Tried]:
        """All trials that have ended."""
        return [
            Tried(
                trial.number,
                {name: json.loads(v) if isinstance(v, str) else v for name, v in trial.params.items()},
                trial.value
                if trial.value is not None
                else (trial.intermediate_values or {None: None}).popitem()[1],
                trial.state.name.lower(),
                trial.duration.total_seconds() if trial.duration else 0.0,
            )
            for trial in self.study.get_trials(deepcopy=True)
            if trial.state.is_finished() and "again" not in trial.user_attrs
        ]

    # --- what is tried ----------------------------------------------------------------------------

    def _left(self) -> Iterator[int]:
        """The numbers of the trials that are left; combinations are queued first."""
        done = len(self.tried())
        wanted = self.sweep.trials
        if wanted is None:
            grid = [dict(zip(self.sweep.settings, values, strict=True)) for values in itertools.product(
                *([json.dumps(v) for v in each] for each in self.sweep.settings.values() if isinstance(each, list))
            )]  # fmt: skip
            known = [trial.params or trial.system_attrs.get("fixed_params") for trial in self.study.trials]
            for values in grid:
                if values not in known:
                    self.study.enqueue_trial(values)
            wanted = len(grid)
        return iter(range(done, wanted))

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
        with _process(command) as (process, output):
            while process.poll() is None:
                time.sleep(PAUSE)
                found = self._report(trial, out, len(found)) or found
                if trial.should_prune():
                    return "pruned", found[-1], ""
            said = output()
        found = self._report(trial, out, len(found)) or found
        if process.returncode or not found:
            return "fail", None, _first_error(said)
        best = min if self.sweep.goal == "min" else max
        return "complete", best(found), ""

    def _report(self, trial: Any, out: Path, known: int) -> list[float]:
        """Hand on what epochs came to since the first `known` ones; all of them."""
        for file in (out / "metrics.jsonl", out / self.sweep.train / "metrics.jsonl"):
            if file.is_file():
                lines = [json.loads(line) for line in file.read_text("utf-8").split("\n")[:-1]]
                found = [float(line[self.sweep.metric]) for line in lines if self.sweep.metric in line]
                for epoch, value in enumerate(found[known:], known):
                    trial.report(value, epoch)
                return found
        return []

    @property
    def _states(self) -> dict[str, Any]:
        state = self.optuna.trial.TrialState
        return {"complete": state.COMPLETE, "pruned": state.PRUNED, "fail": state.FAIL}

    # --- the folder -------------------------------------------------------------------------------

    def _claim(self) -> None:
        """Say whose folder it is; another sweep's trials would be taken for this one's."""
        record, own = (
            self.folder / RECORD,
            {"sweep": self.sweep.model_dump(mode="json"), "command": self.command},
        )
        if record.is_file():
            if json.loads(record.read_text("utf-8")) != own:
                raise fail("DLS0818", f"`{self.folder}` holds another sweep, or the same one of other settings",
                           hint="give another `--out`")  # fmt: skip
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        from dlspec.weights.store import replacing

        with replacing(record) as temporary:
            temporary.write_text(json.dumps(own, indent=2) + "\n", "utf-8")

    def _repeat_unfinished(self) -> None:
        """Queue again what was being tried when the sweep was killed."""
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state == self.optuna.trial.TrialState.RUNNING:
                self.study._storage.set_trial_user_attr(trial._trial_id, "again", True)
                self.study.tell(trial.number, state=self._states["fail"])
                self.study.enqueue_trial(trial.params)


def setting(name: str, value: Any) -> str:
    """``NAME=VALUE`` as ``--set`` takes it."""
    return f"{name}={json.dumps(value)}"


@contextmanager
def _process(command: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """A command in a process group of its own, which does not outlive the block, and what it wrote."""
    with tempfile.TemporaryFile() as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True)

        def output() -> str:
            file.seek(0)
            return file.read().decode("utf-8", "replace")

        try:
            yield process, output
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()


def _first_error(said: str) -> str:
    """The message of the first diagnostic in what ``dlspec train --json`` wrote, or its last line."""
    try:
        return str(json.loads(said[said.index("{") :])["diagnostics"][0]["message"])
    except (ValueError, KeyError, IndexError):
        return (said.strip().split("\n") or [""])[-1]


def train_command(spec: Path, backend: str, more: list[str]) -> list[str]:
    """The start of the command line that trains a spec."""
    return [sys.executable, "-m", "dlspec", "train", str(spec), "--backend", backend, *more]

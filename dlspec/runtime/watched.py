"""Runs a printed ``train.py`` unchanged, and tells how it goes: ``python watched.py CODE ARGUMENTS``.

This is a script, for a process of its own. What ``train.py`` prints passes through; events are lines that begin
with the record separator (as in RFC 7464), then JSON:

- ``step``: where training is (`epoch` of `epochs`, `batch` of `batches`), how far (`done` of `total`, in batches; in
  steps of a world, where `epoch` is 0), its `losses`, and its `rate` in examples a second.
- ``not finite``: why a loss was no number, see `nonfinite`. It is found by doing the same once more, up to the step
  that failed: runs are reproducible.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

MARK = "\x1e"
PAUSE = 0.1  # seconds between events
STOPPED = 3  # the exit status where a loss was not finite
HELD = "DLSPEC_ENDS_WITH_INPUT"  # set for a process that is to end with the one that holds its standard input


RANK = int(os.environ.get("RANK", "0"))
"""Which of several processes this is, that `torchrun` started."""


def tell(event: str, **values: Any) -> None:
    """Write an event, in the first process."""
    if RANK > 0:
        return
    sys.__stdout__.write(MARK + json.dumps({"event": event, **values}) + "\n")  # type: ignore[union-attr]
    sys.__stdout__.flush()  # type: ignore[union-attr]


def end_with_input() -> None:
    """End this process when its standard input is closed: when the process that started it is gone, however it went."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _option(name: str, default: Any) -> Any:
    """The whole number that an option of the command line gives."""
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default


class Watch:
    """Stands before `train_epoch` and `train_step` of a printed `Training`, and counts; in a world, the steps played.

    around
        what a step is done within, if not by itself: it is given the step and its place.
    """

    def __init__(self, train: Any, around: Callable[..., Any] | None = None) -> None:
        self.train, self.around = train, around
        self.epoch = self.batch = self.examples = 0
        self.batches: int | None = None
        self.played = 0
        self.epochs = _option("--epochs", getattr(train, "EPOCHS", 0))
        self.limit = _option("--steps", getattr(train, "MAX_STEPS", None))
        if not self.epochs and hasattr(train.data, "exploring"):
            train.data.exploring = self._exploring(train.data.exploring)
        self.began = self.told = time.perf_counter()
        kind, wrappers = train.Training, {"train_epoch": self._epoch, "train_step": self._step}
        self.originals = {name: getattr(kind, name) for name in wrappers if hasattr(kind, name)}
        for name, function in self.originals.items():
            setattr(kind, name, wrappers[name](function))

    def remove(self) -> None:
        """Have the class as it was."""
        for name, function in self.originals.items():
            setattr(self.train.Training, name, function)

    def _epoch(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def train_epoch(*args: Any, **kwargs: Any) -> Any:
            given = signature(function).bind(*args, **kwargs).arguments
            self.epoch = given.get("epoch", self.epoch) + 1
            self.batch = getattr(given.get("place"), "batches", 0)
            with contextlib.suppress(Exception):  # data that is not counted like this
                self.batches = self._batches(given["columns"])
                if self.limit is not None:
                    self.epochs = min(self.epochs, math.ceil(self.limit / self.batches))
            return function(*args, **kwargs)

        return train_epoch

    def _batches(self, columns: Any) -> int:
        """How many batches an epoch has."""
        data, size = self.train.data, self.train.BATCH_SIZE
        if hasattr(data, "batch_count"):  # those of each bucket
            return int(data.batch_count(columns, size))
        return math.ceil(data.count(columns) / size)

    def _step(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def train_step(training: Any, batch: Any, *rest: Any) -> Any:
            size = len(next(iter(batch.values())))
            # A printed step may be several at once, one for every batch.
            self.batch += math.ceil(size / self.train.BATCH_SIZE) if hasattr(self.train, "STEPS") else 1
            if self.around:
                return self.around(lambda: function(training, batch, *rest), training, batch, self)
            losses = function(training, batch, *rest)
            now = time.perf_counter()
            if self.examples == 0:  # the first step compiles, and is not counted
                self.began = now
            self.examples += size
            if now - self.told >= PAUSE:
                self.told = now
                rate = self.examples / (now - self.began) if now > self.began else 0.0
                self._tell({name: float(loss) for name, loss in losses.items()}, rate)
            return losses

        return train_step

    def _exploring(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def exploring(step: int) -> Any:
            self.played = step
            return function(step)

        return exploring

    def _tell(self, losses: dict[str, float], rate: float) -> None:
        done, total = self.played, self.limit
        if self.epoch:
            batches = self.batches or self.batch
            done = (self.epoch - 1) * batches + self.batch
            total = min(self.epochs * batches, self.limit or sys.maxsize)
        place = {"epoch": self.epoch, "epochs": self.epochs, "batch": self.batch, "batches": self.batches}
        tell("step", **place, done=done, total=total, losses=losses, rate=rate)


def _be_alone() -> None:
    """Have a script that is one of several processes go on as if it were the only one."""
    if processes := sys.modules.get("processes"):
        processes.COUNT = 1  # type: ignore[attr-defined]


def _end_with_parent() -> None:
    """Have Linux end this process when `torchrun` is killed, which could not do it itself: nobody writes on."""
    if "TORCHELASTIC_RUN_ID" in os.environ and sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main() -> int:
    """Run the script in the folder that is named first; the rest are its arguments."""
    _end_with_parent()
    if HELD in os.environ:
        end_with_input()
    code, *arguments = sys.argv[1:]
    # Not this file's folder, whose modules have names of others; dlspec itself comes last.
    sys.path[0] = code
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    sys.argv = [str(Path(code) / "train.py"), *arguments]
    import train  # type: ignore[import-not-found]

    watch = Watch(train) if hasattr(train, "Training") else None
    try:
        train.main()
    except FloatingPointError as error:
        if watch is None:
            raise
        watch.remove()
        if RANK > 0:  # all fail together, and the first one finds the cause alone
            return 0
        _be_alone()
        from dlspec.runtime.nonfinite import diagnose
        from dlspec.runtime.repeated import located

        with contextlib.redirect_stdout(io.StringIO()):
            place = located(train, arguments, (watch.epoch, watch.batch), lambda around: Watch(train, around))
        tell("not finite", message=str(error), epoch=place[0], batch=place[1])
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                found = diagnose(train, arguments, place, lambda around: Watch(train, around))
            except Exception as trouble:  # what went wrong first is still to be told
                found = {"kind": "unknown", "what": f"the search for the cause failed: {trouble!r}"}
        tell("cause", **found)
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())

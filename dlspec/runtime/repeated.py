"""A printed run that is done once more in this process, from its newest checkpoint: runs are reproducible."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def located(
    train: Any, arguments: Sequence[str], place: tuple[int, int], watch: Callable[..., Any]
) -> tuple[int, int]:
    """Which step it was, where one call does several, the last of which is at `place`: found one by one."""
    if getattr(train, "STEPS", 1) == 1:
        return place
    train.STEPS = 1
    watching = watch(None)
    watching.told = math.inf  # it was told before
    with again(arguments, next(checkpoints(arguments))):
        try:
            train.main()
        except FloatingPointError:
            return watching.epoch, watching.batch
        finally:
            watching.remove()
    return place


def checkpoints(arguments: Sequence[str]) -> Iterator[Path | None]:
    """From what a run can begin anew: its checkpoints, the newest first, then nothing."""
    out = Path(arguments[list(arguments).index("--out") + 1])
    yield from sorted(out.glob("checkpoints/[0-9]*"), reverse=True)
    yield None


@contextmanager
def again(arguments: Sequence[str], checkpoint: Path | None) -> Iterator[None]:
    """The command line of a run from a checkpoint, with results that are thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        line = _without_out(arguments)
        if checkpoint is not None:
            kept = Path(folder) / "checkpoints" / checkpoint.name
            kept.parent.mkdir()
            copy = shutil.copytree if checkpoint.is_dir() else shutil.copy
            copy(checkpoint, kept)
            line.append("--resume")
        sys.argv[1:] = [*line, "--out", folder]
        yield


def _without_out(arguments: Sequence[str]) -> list[str]:
    kept = list(arguments)
    at = kept.index("--out")
    del kept[at : at + 2]
    return [a for a in kept if a != "--resume"]

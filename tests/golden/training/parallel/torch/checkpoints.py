"""Checkpoints: all that a run needs to go on as if nothing had happened, a folder each.

All processes write them together, and any number of processes goes on from them.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch.distributed.checkpoint as dcp

import processes

KEEP = 2
FOLDER = "checkpoints"

# What a single process is told by PyTorch.
warnings.filterwarnings("ignore", "torch.distributed is disabled")


def save(run: Path, step: int, state: dict[str, Any]) -> None:
    """Write a checkpoint, which appears only when it is complete and on the disk; old ones go."""
    partial = run / FOLDER / "partial"
    if processes.RANK == 0:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    processes.wait()
    training = state.pop("training")
    rest = json.dumps(state, default=float)
    alone = processes.COUNT == 1
    dcp.save({"training": training, "rest": rest}, checkpoint_id=partial, no_dist=alone)
    if processes.RANK == 0:
        partial.replace(run / FOLDER / f"{step:09}")
        for old in folders(run)[:-KEEP]:
            shutil.rmtree(old)


def load(run: Path, training: dict[str, Any]) -> dict[str, Any] | None:
    """The state in the last checkpoint of a run, None where there is none. It is read into `training`."""
    if not (found := folders(run)):
        return None
    state: dict[str, Any] = {"training": training, "rest": ""}
    alone = processes.COUNT == 1
    dcp.load(state, checkpoint_id=found[-1], no_dist=alone)
    return {"training": state["training"], **json.loads(state["rest"])}


def clear(run: Path) -> None:
    """Remove all checkpoints, of a run that begins anew."""
    if processes.RANK == 0:
        for old in folders(run):
            shutil.rmtree(old)


def folders(run: Path) -> list[Path]:
    """The checkpoints of a run, the last one last."""
    return sorted((run / FOLDER).glob("[0-9]*"))

"""Checkpoints: all that a run needs to go on as if nothing had happened, a file each."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

KEEP = 2
FOLDER = "checkpoints"


def save(run: Path, step: int, state: dict[str, Any]) -> None:
    """Write a checkpoint, which appears only when it is complete and on the disk; old ones go."""
    folder = run / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, np.ndarray] = {}
    text = json.dumps(pack(state, "", tensors))
    partial = folder / "partial"
    save_file(tensors, partial, {"state": text})
    sync(partial)
    partial.replace(folder / f"{step:09}.safetensors")
    sync(folder)
    for old in files(run)[:-KEEP]:
        old.unlink()


def load(run: Path) -> dict[str, Any] | None:
    """The state in the last checkpoint of a run, None where there is none."""
    if not (found := files(run)):
        return None
    with safe_open(found[-1], "numpy") as file:
        state: dict[str, Any] = json.loads(file.metadata()["state"])
        state = unpack(state, file.get_tensor)
    return state


def clear(run: Path) -> None:
    """Remove all checkpoints, of a run that begins anew."""
    for old in files(run):
        old.unlink()


def files(run: Path) -> list[Path]:
    """The checkpoints of a run, the last one last."""
    return sorted((run / FOLDER).glob("*.safetensors"))


def pack(value: Any, name: str, tensors: dict[str, np.ndarray]) -> Any:
    """The value as JSON has it; tensors go into `tensors` and leave their names."""
    if isinstance(value, np.ndarray):
        tensors[name] = np.array(value, order="C")
        return {"tensor": name}
    if isinstance(value, dict):
        items = [[key, pack(v, f"{name}.{key}", tensors)] for key, v in value.items()]
        return {"items": items}
    if isinstance(value, list | tuple):
        return [pack(item, f"{name}.{i}", tensors) for i, item in enumerate(value)]
    return value


def unpack(value: Any, tensor: Callable[[str], np.ndarray]) -> Any:
    """What `pack` was given."""
    if isinstance(value, list):
        return [unpack(item, tensor) for item in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensor(value["tensor"])
        return {key: unpack(item, tensor) for key, item in value["items"]}
    return value


def sync(path: Path) -> None:
    """Have the disk write what it holds back, of a file or of a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)

"""The processes that train together: those that torchrun started, or this one alone.

    torchrun --nproc-per-node 2 train.py

A run that was stopped goes on when it is started again with --resume, in as many processes
as one likes. Do not count on restarts in place (--max-restarts): they are not reliable.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

RANK = int(os.environ.get("RANK", "0"))
COUNT = int(os.environ.get("WORLD_SIZE", "1"))
LOCAL = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # on this machine
DEVICE = "cuda" if torch.cuda.device_count() >= LOCAL else "cpu"

T = TypeVar("T")
M = TypeVar("M", bound=nn.Module)


def join() -> None:
    """Meet the others."""
    if DEVICE == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if COUNT > 1:
        dist.init_process_group("nccl" if DEVICE == "cuda" else "gloo")


def leave() -> None:
    """Part from them, when the models and their optimizers are no longer used."""
    gc.collect()  # they must be gone before the group is: ending it may hang otherwise
    if COUNT > 1:
        dist.destroy_process_group()


def part(batch: dict[str, Tensor]) -> tuple[dict[str, Tensor], float]:
    """The rows of a batch that are this process's, and how large a part of it they are.

    Where there are too few for all, a row counts for nothing.
    """
    total = len(next(iter(batch.values())))
    first, end = total * RANK // COUNT, total * (RANK + 1) // COUNT
    rows = slice(first, max(end, first + 1))
    return {name: each[rows] for name, each in batch.items()}, (end - first) / total


def summed(value: Tensor) -> Tensor:
    """The sum over all processes."""
    value = value.detach().clone()
    if COUNT > 1:
        dist.all_reduce(value)
    return value


def agreed(value: T) -> T:
    """What the first process has."""
    values = [value]
    if COUNT > 1:
        dist.broadcast_object_list(values)
    return values[0]


def wait() -> None:
    """Go on when all are here."""
    if COUNT > 1:
        dist.barrier()


def tell(text: str) -> None:
    """Print, in the first process."""
    if RANK == 0:
        print(text, flush=True)


def file(path: Path) -> Path:
    """Where the first process writes; what others write is not kept."""
    return path if RANK == 0 else Path(os.devnull)


def sharded(model: M, blocks: tuple[type[nn.Module], ...] = ()) -> M:
    """The model, of whose weights each process keeps a part.

    Those of a block are put together while it computes, and then those of the next.
    """
    if COUNT > 1:
        mesh = init_device_mesh(DEVICE, (COUNT,))
        for module in reversed([*model.to(DEVICE).modules()]):
            if module is model or isinstance(module, blocks):
                fully_shard(module, mesh=mesh, reshard_after_forward=True)
    return model


def whole(tensor: Tensor) -> Tensor:
    """A tensor of which each process may have a part."""
    if isinstance(tensor, DTensor):
        tensor = tensor.full_tensor()
    return tensor.contiguous()


def divided(tensor: Tensor, like: Tensor) -> Tensor:
    """This process's part of a tensor that all have, as another one is divided."""
    if not isinstance(like, DTensor):
        return tensor
    mesh, places = like.device_mesh, like.placements
    return distribute_tensor(tensor.to(DEVICE), mesh, places, src_data_rank=None)

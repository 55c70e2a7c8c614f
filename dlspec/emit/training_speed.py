"""How a training is printed to be fast: what the spec asks for, and what is known to be quicker where it does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dlspec.emit.code import literal
from dlspec.emit.manifest import Backend
from dlspec.ir.dims import product
from dlspec.ir.graph import Program, reached
from dlspec.ir.single_steps import single_steps
from dlspec.ir.training import Training
from dlspec.passes.named_draws import draws
from dlspec.passes.pooled_first import pooled_first
from dlspec.summary import BYTES

FLAT = frozenset({"Conv2d", "ConvTranspose2d"})
DEEP = frozenset({"Conv3d", "ConvTranspose3d"})
"""PyTorch's memory format ``channels_last`` is of weights with four dimensions, and refuses those with five."""

STEPS, BLOCK = 32, 1 << 20
"""How many steps a call does at most, and the bytes of batches that it is given.

More of either gains nothing, and takes memory: TensorFlow keeps several copies of what a call is given (`make speed`).
"""

AUTOCAST = {"bf16": "bfloat16", "fp16": "float16"}


def speed_settings(program: Program, training: Training, backend: Backend) -> dict[str, Any]:
    """What the template of ``train.py`` is told.

    autocast
        the framework's name of the lower precision in which models compute; None for f32.
    channels_last
        images are kept with their channels last: 2-D convolutions are then quicker on a CPU (1.3 to 1.65 times
        as fast for a small CNN: `make speed`). Not where processes divide the weights among them,
        which FSDP keeps in a row.
    pooled_first
        whether `quicker` changed something.
    several
        how many steps one compiled call does, empty where each is a call of its own.
    """
    found = _operators(program, training)
    chosen = bool(found & FLAT) if training.channels_last is None else training.channels_last
    return {
        "autocast": AUTOCAST.get(training.precision),
        "scaled": training.precision == "fp16",
        "compiled": training.compile,
        "channels_last": chosen and not found & DEEP and not _divided(training),
        "pooled_first": quicker(program, training, backend) is not program,
        "several": literal(steps) if (steps := _steps_at_once(program, training, backend)) > 1 else "",
        "several_why": "asked for"
        if training.steps_per_execution
        else "the call itself takes longer than a small step",
        "channels_last_why": "asked for" if training.channels_last else "2-D convolutions are quicker so",
    }


def recomputed_draws(program: Program, training: Training, backend: Backend) -> str:
    """The name of the snippet by which blocks of `remat` draw the same numbers again.

    It is empty where they draw none, or the framework does it.
    """
    keys = [key for key in reached(program.graphs, training.models.values())
            if program.graphs[key].name in training.remat]  # fmt: skip
    name = "again_counted" if backend.own_imports else "again"
    return name if name in backend.snippets and any(draws(program, key) for key in keys) else ""


def in_half(training: Training, backend: Backend) -> Backend:
    """The backend that prints the models of a training, whose precision may be lower than f32."""
    if training.precision == "f32" or not backend.options.get("one_precision"):
        return backend
    return replace(backend, passes=(*backend.passes, "lower", "promoted"))


def _divided(training: Training) -> bool:
    return training.parallel is not None and training.parallel.shard is not None


def quicker(program: Program, training: Training, backend: Backend) -> Program:
    """The program whose models are printed for a training: the same numbers, sooner.

    In PyTorch, max-pooling comes before `relu`: 1.2 times as fast for a small CNN (`make speed`).
    In Keras that changed nothing.
    """
    wanted = training.pool_first is not False and backend.options.get("pool_first")
    return pooled_first(program) if wanted else program


def _steps_at_once(program: Program, training: Training, backend: Backend) -> int:
    """How many steps one call does: as many as `BLOCK` bytes of batches are, `STEPS` at most."""
    if not backend.options.get("steps_per_execution") or single_steps(training, program.graphs):
        return 1
    if training.steps_per_execution:
        return training.steps_per_execution
    inputs = {v.name: v.type for step in training.steps for v in program.graphs[step.graph].inputs}
    total: Any = sum(product(t.shape[1:]) * BYTES[t.dtype] for t in inputs.values()) * training.batch_size
    known = isinstance(total, int)  # else lengths differ from batch to batch
    return max(1, min(STEPS, BLOCK // max(1, total))) if known else 1


def _operators(program: Program, training: Training) -> set[str]:
    """The operators that the models use."""
    keys = reached(program.graphs, training.models.values())
    return {node.op.spec_name() for key in keys for node in program.graphs[key].nodes}

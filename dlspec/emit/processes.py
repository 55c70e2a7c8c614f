"""Printing a training for several processes: ``processes.py``, and what the templates are told of `parallel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlspec.emit.code import literal, quoted
from dlspec.emit.imports import block, needed
from dlspec.emit.manifest import Backend
from dlspec.emit.wrap import tidy
from dlspec.ir.graph import Call, Program, reached
from dlspec.ir.training import Parallel, Training
from dlspec.passes.named_draws import draws

FILE = "processes.py"

IMPORTS = {
    r"\bgc\.": "import gc",
    r"\bos\.": "import os",
    r"\bPath\b": "from pathlib import Path",
    r"\bTypeVar\b": "from typing import TypeVar",
}


def processes_of(training: Training, backend: Backend) -> Parallel | None:
    """The processes that train together on a backend; None where it is one."""
    return training.parallel if backend.options.get("parallel") else None


def print_processes(training: Training, backend: Backend) -> str:
    """The text of ``processes.py``."""
    assert training.parallel is not None
    body = backend.template("processes.py.jinja").render(
        count=literal(training.parallel.data),
        shard=training.parallel.shard,
        checkpoint=training.checkpoint,
    )
    head, _, rest = body.partition("#: imports\n")
    return tidy(f"{head}{block(needed(rest, {**IMPORTS, **backend.imports}))}\n{rest}")


def parallel_settings(
    program: Program, training: Training, backend: Backend, method: str, blocks: Sequence[str]
) -> dict[str, Any]:
    """What the template of ``train.py`` is told.

    method
        that computes the loss of the only step.
    blocks
        the classes whose weights are divided for themselves.
    """
    parallel = processes_of(training, backend)
    if parallel is None:
        return {"parallel": None}
    (step,) = training.steps
    replica = f"DDP(training{', find_unused_parameters=True' if _leaves_out(program, training) else ''})"
    if training.compile:
        replica = backend.options["compiled"].format(function=replica)
    return {
        "parallel": {
            "shard": parallel.shard,
            "method": method,
            "losses": f"{{{quoted(training.loss_key(step.name))}: {replica}}}",
            "random": bool(draws(program, step.graph)),
            "blocks": f", ({', '.join(blocks)}{',' if len(blocks) == 1 else ''})" if blocks else "",
        }
    }


def divided_blocks(program: Program, training: Training) -> list[str]:
    """The blocks of a model whose weights are gathered one after another: graph names, those used first first.

    A block that is there once, and has blocks of its own, gives way to these.
    """
    if training.parallel is None or not training.parallel.shard:
        return []
    found: dict[str, None] = {}
    for key in training.models.values():
        counts: dict[str, int] = {}
        _count(program, key, counts, 1)
        _choose(program, key, counts, found)
    return list(found)


def _count(program: Program, key: str, counts: dict[str, int], times: int) -> None:
    """How often each block is there below a graph."""
    for node in program.graphs[key].nodes:
        if isinstance(node.op, Call):
            inner = program.graphs[node.op.graph]
            counts[inner.name] = counts.get(inner.name, 0) + times * node.op.repeat
            _count(program, node.op.graph, counts, times * node.op.repeat)


def _choose(program: Program, key: str, counts: dict[str, int], found: dict[str, None]) -> None:
    for node in program.graphs[key].nodes:
        if not isinstance(node.op, Call) or not _has_weights(program, node.op.graph):
            continue
        graph = program.graphs[node.op.graph]
        inner = (n.op.graph for n in graph.nodes if isinstance(n.op, Call))
        if counts[graph.name] == 1 and any(_has_weights(program, each) for each in inner):
            _choose(program, node.op.graph, counts, found)
        else:
            found[graph.name] = None


def _has_weights(program: Program, key: str) -> bool:
    return any(program.graphs[each].weights for each in reached(program.graphs, [key]))


def _leaves_out(program: Program, training: Training) -> bool:
    """Whether some weight may have no part in the loss: it is not led there, or no gradient flows back."""
    (step,) = training.steps
    graphs = [program.graphs[key] for key in reached(program.graphs, [step.graph])]
    called = {node.op.graph for graph in graphs for node in graph.nodes if isinstance(node.op, Call)}
    learning = {key for name, key in training.models.items() if name not in training.frozen}
    several = any(len(graph.outputs) > 1 for graph in graphs)
    stopped = any(node.op.spec_name() == "stop_gradient" for graph in graphs for node in graph.nodes)
    return several or stopped or not learning <= called

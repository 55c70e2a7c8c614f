"""Printing what a training says about long runs, and ``checkpoints.py``."""

from __future__ import annotations

from typing import Any

from dlspec.emit.code import comment_text, literal, quoted
from dlspec.emit.imports import block, needed, split_imports
from dlspec.emit.manifest import Backend
from dlspec.emit.processes import processes_of
from dlspec.emit.wrap import tidy
from dlspec.ir.graph import Program
from dlspec.ir.training import Best, Plateau, Training
from dlspec.ops.random import Bernoulli, Gumbel, Normal, Uniform
from dlspec.passes.named_draws import draws

IMPORTS = {
    r"\bitertools\.": "import itertools",
    r"\bdataclass\b": "from dataclasses import dataclass, field",
    r"\bIterator\b": "from collections.abc import Iterator",
    r"\bos\.": "import os",
    r"\bglobal_seed_generator\b": "from keras.src.random.seed_generator import global_seed_generator",
    r"\bsafe_open\b": "from safetensors import safe_open",
    r"\bnp\.": "import numpy as np",
}


def run_settings(training: Training, program: Program) -> dict[str, Any]:
    """What the template of ``train.py`` is told; `random` is whether the program draws numbers itself."""
    nodes = (node for graph in program.graphs.values() for node in graph.nodes)
    return {
        "checkpoint": training.checkpoint,
        "random": any(isinstance(node.op, Uniform | Normal | Bernoulli | Gumbel) for node in nodes),
        "best": _best(training.best, "report" if training.policy else "epoch") if training.best else None,
        "plateau": _plateau(training.plateau) if training.plateau else None,
    }


def _best(best: Best, unit: str) -> dict[str, Any]:
    smaller, delta = best.goal == "min", literal(best.min_delta)
    return {
        "unit": unit,
        "metric": comment_text(best.metric),
        "key": quoted(best.metric),
        "sign": "<" if smaller else ">",
        "delta": f" {'-' if smaller else '+'} {delta}" if best.min_delta else "",
        "margin": f", by more than {delta}" if best.min_delta else "",
        "patience": best.patience,
    }


def _plateau(plateau: Plateau) -> dict[str, Any]:
    smaller, delta, factor = plateau.goal == "min", literal(plateau.min_delta), literal(plateau.factor)
    return {
        **plateau.model_dump(),
        "factor": factor,
        "name": comment_text(plateau.metric),
        "key": quoted(plateau.metric),
        "sign": "<" if smaller else ">",
        "worst": "math.inf" if smaller else "-math.inf",
        "delta": f" {'-' if smaller else '+'} {delta}" if plateau.min_delta else "",
        "margin": f", by more than {delta}" if plateau.min_delta else "",
        "next": f"max(factor * {factor}, {literal(plateau.end)})" if plateau.end else f"factor * {factor}",
    }


def print_checkpoints(program: Program, training: Training, backend: Backend) -> str:
    """The text of ``checkpoints.py``."""
    parallel = processes_of(training, backend)
    template = backend.template("parallel_checkpoints.py.jinja" if parallel else "checkpoints.py.jinja")
    random = any(draws(program, step.graph) for step in training.steps)
    body = template.render(checkpoint=training.checkpoint, random=random)
    head, _, rest = body.partition("#: imports\n")
    own, rest = split_imports(rest)
    imports = block([*own, *needed(rest, {**PYTHON_IMPORTS, **IMPORTS, **backend.imports})])
    files = "\n\nimport processes" if parallel else ""
    return tidy(f"{head}{imports}{files}\n\n{rest}")


PYTHON_IMPORTS = {
    r"\bshutil\.": "import shutil",
    r"\bwarnings\.": "import warnings",
    r"\bjson\.": "import json",
    r"\bCallable\b": "from collections.abc import Callable",
    r"\bPath\b": "from pathlib import Path",
    r"\bAny\b": "from typing import Any",
}

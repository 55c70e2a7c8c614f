"""Printing a training as ``train.py``: one template a backend, whatever the number of models and steps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlspec.emit.classes import docstring
from dlspec.emit.code import comment_text, literal, quoted
from dlspec.emit.features import Places
from dlspec.emit.groups import grouped_models, print_groups
from dlspec.emit.imports import block, needed, split_imports
from dlspec.emit.manifest import Backend
from dlspec.emit.names import PYTHON, identifier
from dlspec.emit.optimizers import print_optimizer, weights_moved
from dlspec.emit.parts import ModelParts
from dlspec.emit.processes import parallel_settings
from dlspec.emit.training_bodies import Bodies
from dlspec.emit.training_names import USED, loss_methods
from dlspec.emit.training_parts import frozen_settings, joined, parameters
from dlspec.emit.training_players import needs_of_copies, player_settings
from dlspec.emit.training_rules import rule_settings, update_helpers
from dlspec.emit.training_runs import IMPORTS as RUN_IMPORTS
from dlspec.emit.training_runs import run_settings
from dlspec.emit.training_speed import recomputed_draws, speed_settings
from dlspec.emit.wrap import tidy
from dlspec.ir.data import DataSet, validation_split
from dlspec.ir.graph import Program
from dlspec.ir.training import Training


def updates_of_epoch(data: DataSet) -> str:
    """The expression of how many updates an epoch of training has."""
    if data.bucket is not None:
        return "data.batch_count(columns, BATCH_SIZE)"
    if data.last_batch == "drop":
        return "data.count(columns) // BATCH_SIZE"
    return "math.ceil(data.count(columns) / BATCH_SIZE)"


FILES = {
    r"\bcheckpoints\.": "import checkpoints",
    r"\bprocesses\.": "import processes",
}
"""Files of the project that it may need, beside those that it always does."""

IMPORTS = {
    r"\bargparse\.": "import argparse",
    r"\bjson\.": "import json",
    r"\bmath\.": "import math",
    r"\btime\.": "import time",
    r"\bnp\.": "import numpy as np",
    r"\bCallable\b": "from collections.abc import Callable",
    r"\bIterable\b": "from collections.abc import Iterable",
    r"\bPath\b": "from pathlib import Path",
    r"\bAny\b": "from typing import Any",
}


@dataclass(frozen=True, slots=True)
class Model:
    """A model that is trained: its name, as an attribute, its class, and what makes one: ``(latent=64)``."""

    name: str
    attribute: str
    type: str
    arguments: str


@dataclass(frozen=True, slots=True)
class PrintedStep:
    """A step: the key of its loss in the results, the method that computes it, and what it updates."""

    key: str
    method: str
    doc: str
    body: str
    updates: str
    optimizer: str


class TrainingPrinter:
    """Prints the training `training` of `program` as ``train.py``."""

    def __init__(
        self,
        program: Program,
        training: Training,
        backend: Backend,
        models: Sequence[Model],
        parts: ModelParts,
        recomputed: Sequence[str] = (),
        divided: Sequence[str] = (),
    ) -> None:
        self.parts = parts
        self.program, self.training, self.backend = program, training, backend
        self.models = {model.name: model for model in models}
        self.recomputed, self.divided = recomputed, divided
        self.methods = loss_methods(training)
        self.bodies = Bodies(program, training, backend, {model.name: model.attribute for model in models})
        self.groups = {s.name: print_groups(training, s, parts, backend) for s in training.steps}
        self.again = recomputed_draws(program, training, backend)
        self.optimizers: dict[str, str] = {}

    def text(self) -> str:
        """The text of ``train.py``."""
        steps, methods = list(self._steps()), self.bodies.all()
        self.optimizers.update(update_helpers(self.training, self.backend))
        needs = [*self.bodies.needs, *needs_of_copies(self.training), *([self.again] if self.again else ())]
        snippets = [split_imports(self.backend.snippets[name]) for name in dict.fromkeys(needs)]
        snippets += self.bodies.epoch.helpers if self.bodies.epoch else ()
        helpers = [*(text for _, text in snippets), *self.optimizers.values()]
        imports = [line for lines, _ in snippets for line in lines]
        types = self._types(helpers)
        places = Places(self.backend, self._all_settings(types, steps, methods, helpers))
        body = self.backend.template("train.py.jinja").render(places.settings)
        head, _, rest = body.partition("#: imports\n")
        imports += needed(rest, {**IMPORTS, **RUN_IMPORTS, **self.backend.imports})
        own = [
            "import data",
            "import weights",
            *needed(rest, {**FILES, **self.backend.own_imports}),
        ]
        own += [
            f"from model import {name}" + (f" as {here}" if here != name else "")
            for name, here in types.items()
        ]
        return tidy(f"{head}{block(imports)}\n\n{block(own)}\n{rest}")

    def _all_settings(
        self,
        types: Mapping[str, str],
        steps: Sequence[PrintedStep],
        methods: Mapping[str, Any],
        helpers: Sequence[str],
    ) -> dict[str, Any]:
        """What the templates are told."""
        divided = [types[name] for name in self.divided]
        method = next(iter(self.methods.values()))
        parallel = parallel_settings(self.program, self.training, self.backend, method, divided)
        return dict(
            **self._settings(),
            **self._signature(types, parallel["parallel"]),
            **run_settings(self.training, self.program),
            **rule_settings(self.program, self.training, self.backend, self.groups),
            **player_settings(
                self.training,
                {name: model.attribute for name, model in self.models.items()},
                {step.name: quoted(self.training.loss_key(step.name)) for step in self.training.steps},
            ),
            **speed_settings(self.program, self.training, self.backend),
            **frozen_settings(self.training, self.parts),
            grouped=grouped_models(self.training, self.parts, self.groups),
            remat=[types[name] for name in self.recomputed],
            again=self.again,
            **parallel,
            losses=f"{{{', '.join(f'{s.key}: {self._function(s.method)}' for s in steps)}}}",
            steps=steps,
            fused=any("fused=True" in step.optimizer for step in steps),
            helpers=helpers,
            **methods,
        )

    def _settings(self) -> dict[str, Any]:
        """What the spec says of the training as a whole."""
        training, data = self.training, self.program.data[self.training.data]
        splits, validation = list(data.split), validation_split(data)
        return {
            "title": comment_text(training.name),
            "data_title": comment_text(data.name),
            "doc": docstring(comment_text(training.doc or f"{training.name} learns from {data.name}.")),
            "batch_size": literal(training.batch_size * training.accumulate),
            "epochs": literal(training.epochs),
            **_limit(training, data.stream is not None),
            "stream": data.stream is not None,
            "vocabulary": data.vocabulary.kind if data.vocabulary else "",
            "categories": bool(data.categories),
            "bucket": data.bucket is not None,
            "updates_of_epoch": updates_of_epoch(data),
            "variable": self.backend.options["variable"],
            "environment": data.environment is not None,
            "memory": self.backend.options["memory"],
            "report": "1000",
            "episodes": "100",
            "seed": literal(training.seed),
            "drawn": bool(self.backend.own_imports),
            "train_split": quoted(splits[0]),
            "validation_split": quoted(validation),
            "validation_prefix": quoted(f"{validation}_"),
        }

    def _signature(self, types: Mapping[str, str], parallel: Mapping[str, Any] | None) -> dict[str, Any]:
        """The models as parameters of the class, and how it is made."""
        models = list(self.models.values())
        made = [f"{types[m.type]}{m.arguments}" for m in models]
        if parallel and parallel["shard"]:
            made = [f"processes.sharded({each}{parallel['blocks']})" for each in made]
        return {
            "models": models,
            "parameters": ", ".join(["self", *(f"{m.attribute}: {types[m.type]}" for m in models)]),
            "construct": ", ".join(made),
            "all_variables": joined(f"self.{m.attribute}.variables" for m in models),
            "root": f".{models[0].attribute}" if len(models) == 1 else "",
        }

    def _types(self, helpers: Sequence[str]) -> dict[str, str]:
        """The classes of the models, to their names in this file."""
        defined = re.findall(r"^(?:class|def) (\w+)", "\n".join(helpers), re.MULTILINE)
        taken = {*PYTHON, *USED, *self.backend.reserved, *defined}
        names = [*(model.type for model in self.models.values()), *self.recomputed, *self.divided]
        return {name: identifier(name, taken) for name in names}

    def _steps(self) -> Iterator[PrintedStep]:
        weights = weights_moved(self.program, self.training, self.backend)
        for step in self.training.steps:
            updates = [self.models[name].attribute for name in step.updates]
            over, fused = parameters(self.training, self.parts, step), self.training.fused is not False
            groups = self.groups[step.name].texts
            optimizer = print_optimizer(self.backend, step.optimizer, over, weights, fused, groups)
            self.optimizers.update(optimizer.helpers)
            yield PrintedStep(
                key=quoted(self.training.loss_key(step.name)),
                method=self.methods[step.name],
                doc=comment_text(f"Minimized over the weights of {' and '.join(step.updates)}."),
                body=self.bodies.loss(step),
                updates=f"[{', '.join(updates)}]",
                optimizer=optimizer.expression,
            )

    def _function(self, method: str) -> str:
        function = f"self.{method}"
        return (
            self.backend.options["compiled"].format(function=function) if self.training.compile else function
        )


def print_training(
    program: Program,
    training: Training,
    backend: Backend,
    models: Sequence[Model],
    parts: ModelParts,
    recomputed: Sequence[str] = (),
    divided: Sequence[str] = (),
) -> str:
    """The text of ``train.py``.

    parts
        of the models, as they are printed.
    recomputed
        the classes of the blocks of `remat`; `divided` those whose weights processes divide among them.
    """
    return TrainingPrinter(program, training, backend, models, parts, recomputed, divided).text()


def _limit(training: Training, stream: bool) -> dict[str, str]:
    """What is different where a training ends after a number of steps; a stream skips what is done already."""
    done = stream and training.checkpoint is not None and training.checkpoint.steps is not None
    batches = f"data.batches(columns, BATCH_SIZE, seed, epoch{', first=place.batches' if done else ''})"
    if training.max_steps is None:
        return {"max_steps": "", "examples": "every example once", "epoch_batches": batches}
    before = "place.steps" if done else "epoch * steps_of_epoch(columns)"
    return {
        "max_steps": literal(training.max_steps),
        "examples": "an epoch, or what is left of it",
        "epoch_batches": f"itertools.islice({batches}, MAX_STEPS - {before})",
    }

"""`train ... on ...`: steps, each a loss over some models with an optimizer. The short form is one step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from dlspec.elaborate.blocks import resolve_graph
from dlspec.elaborate.categories import check_room
from dlspec.elaborate.copies import copy_of, every
from dlspec.elaborate.declarations import Settings
from dlspec.elaborate.environment import RETURN
from dlspec.elaborate.groups import groups_of
from dlspec.elaborate.initial_weights import initial_weights
from dlspec.elaborate.optimizers import Written, optimizer_of
from dlspec.elaborate.training_graphs import TrainingGraphs
from dlspec.elaborate.training_models import Learners, learners
from dlspec.elaborate.training_parallel import SETTINGS as PARALLEL_SETTINGS
from dlspec.elaborate.training_parallel import check_parallel, parallel
from dlspec.elaborate.training_rules import SETTINGS as UPDATE_SETTINGS
from dlspec.elaborate.training_rules import update_settings
from dlspec.elaborate.training_runs import SETTINGS as RUN_SETTINGS
from dlspec.elaborate.training_runs import run_settings
from dlspec.elaborate.training_speed import SETTINGS as SPEED_SETTINGS
from dlspec.elaborate.training_speed import check_executions, check_recomputed, recomputed, speed_settings
from dlspec.elaborate.weight_paths import SETTINGS as PATH_SETTINGS
from dlspec.elaborate.weight_paths import Paths, check_learning, frozen_paths
from dlspec.ir.data import DataSet, validation_split
from dlspec.ir.groups import Group
from dlspec.ir.paths import weights_of
from dlspec.ir.training import Step, Training
from dlspec.syntax import tree

KNOWN = [
    "loss", "optimizer", "metrics", "batch_size", "epochs", "max_steps", "policy", "seed", "models", "init_from",
    "deterministic", *RUN_SETTINGS, *UPDATE_SETTINGS, *SPEED_SETTINGS, *PARALLEL_SETTINGS,
    *PATH_SETTINGS,
]  # fmt: skip

NUMBERS = (("batch_size", 32, 1), ("epochs", 1, 1), ("seed", 0, 0))
"""Whole numbers, what they are where they are not written, and the least that they may be."""


def train(item: tree.Declaration, builder: Any) -> Training:
    """The training that a declaration describes."""
    return _Trainer(item, builder).build()


class _Trainer:
    def __init__(self, item: tree.Declaration, builder: Any) -> None:
        self.item, self.builder, self.session = item, builder, builder.session
        self.settings = Settings(item, KNOWN, builder.session)
        self.frame = builder.frame()
        self.short = not self.settings.steps

    def build(self) -> Training:
        """Every part is checked, so that independent mistakes are told together."""
        settings, frame, attempt = self.settings, self.frame, self.settings.attempt
        optimizers = self._optimizers()
        everies = [attempt(partial(every, section.every, frame)) for section in settings.steps]
        plain = {
            **self._numbers(),
            **update_settings(settings, frame),
            **speed_settings(settings, frame),
            "parallel": attempt(partial(parallel, settings.get("parallel"), frame)),
            "deterministic": bool(attempt(partial(settings.flag, "deterministic", frame))),
        }
        found: Learners | None = attempt(partial(learners, self.item, settings, self.builder))
        graphs, groups, of_models = self._of_models(found, optimizers) if found else ([], [], {})
        settings.finish()
        assert found is not None
        made = Training(
            name=self.item.name.id,
            data=found.data.name,
            steps=tuple(self._steps(graphs, optimizers, groups, everies)),
            frozen=found.frozen,
            doc=self.item.doc,
            **plain,
            **of_models,
        )
        if made.freeze:
            weights = weights_of(self.session.graphs, made.models)
            attempt(partial(check_learning, made, weights, settings.values["freeze"].value))
        check_executions(made, settings, self.session.graphs)
        check_recomputed(made, settings, self.session.graphs)
        if made.parallel:
            world, written = found.data.environment is not None, settings.values["parallel"].value
            attempt(partial(check_parallel, made, self.session.graphs, world, written))
        settings.finish()
        return made

    def _numbers(self) -> dict[str, int | None]:
        """Sizes and lengths."""
        settings, frame, attempt = self.settings, self.frame, self.settings.attempt
        numbers = {
            name: attempt(partial(settings.whole, name, default, frame, least))
            for name, default, least in NUMBERS
        }
        limit = attempt(partial(settings.whole, "max_steps", None, frame))
        if limit and settings.get("epochs") is None:
            numbers["epochs"] = limit  # as many as that takes, since each has a step
        return {**numbers, "max_steps": limit}

    def _of_models(
        self, found: Learners, optimizers: list[Written]
    ) -> tuple[list[str], list[tuple[Group, ...]], dict[str, Any]]:
        """Of each step the graph of its loss and the groups of its optimizer; fields of `Training` that need models."""
        settings, frame, attempt = self.settings, self.frame, self.settings.attempt
        graphs = TrainingGraphs(self.item, settings, found, self.builder)
        losses = graphs.losses()
        keys = {name: resolve_graph(m, None, m.span, self.session) for name, m in found.models.items()}
        copies = [attempt(partial(self._copy, entry, keys)) for entry in settings.copies]
        paths = Paths(weights_of(self.session.graphs, keys), keys, frame)
        initial = attempt(partial(initial_weights, settings.get("init_from"), keys, self.builder))
        freeze = attempt(partial(frozen_paths, settings.get("freeze"), paths))
        groups = self._groups(optimizers, paths, freeze or ())
        evaluation = attempt(graphs.evaluation)
        evaluate, metrics = evaluation or (None, [])
        computed = [key for key in (*losses, evaluate) if key]
        attempt(partial(check_room, self.session.graphs, computed, found.data, found.origins))
        results = (
            self._results(found.data, metrics) if evaluation else None
        )  # else: told already what is wrong
        run = (results and attempt(partial(run_settings, settings, frame, *results))) or {}
        return (
            losses,
            groups,
            {
                "models": keys,
                "copies": tuple(copies),
                "init_from": initial,
                "freeze": freeze,
                "evaluate": evaluate,
                "metrics": tuple(metrics),
                "policy": attempt(graphs.policy),
                "remat": attempt(partial(recomputed, settings, frame, self.session.graphs, keys.values())),
                **run,
            },
        )

    # --- steps ------------------------------------------------------------------------------------

    def _optimizers(self) -> list[Written]:
        """The optimizer of each step."""
        attempt, name = self.settings.attempt, self.item.name.id
        if self.short:
            hint = "write `optimizer = Adam(lr = 1e-3)`"
            expr = attempt(partial(self.settings.require, "optimizer", hint))
            written = [] if expr is None else [expr]
        else:
            written = [section.optimizer for section in self.settings.steps]
        return [attempt(partial(optimizer_of, expr, name, self.frame)) for expr in written]

    def _groups(
        self, optimizers: list[Written], paths: Paths, frozen: tuple[str, ...]
    ) -> list[tuple[Group, ...]]:
        """The groups of each step's optimizer."""
        name, frame = self.item.name.id, self.frame
        return [
            self.settings.attempt(partial(groups_of, written, updates, frozen, paths, name, frame))
            for written, updates in zip(optimizers, self._updates(), strict=True)
            if written is not None  # what is wrong with it is told already
        ]

    def _updates(self) -> list[tuple[str, ...]]:
        """The models that each step updates."""
        steps = self.settings.steps
        return [("model",)] if self.short else [tuple(n.id for n in section.updates) for section in steps]

    def _copy(self, entry: tree.Copy, keys: Mapping[str, str]) -> Any:
        models = {} if self.short else keys
        return copy_of(entry, models, self.settings.steps, self.session.graphs, self.frame)

    def _steps(
        self,
        graphs: list[str],
        optimizers: list[Written],
        groups: list[tuple[Group, ...]],
        everies: list[int],
    ) -> Iterator[Step]:
        names = ["step"] if self.short else [section.name.id for section in self.settings.steps]
        parts = zip(names, graphs, self._updates(), optimizers, everies or [1], groups, strict=True)
        for name, graph, updates, written, count, own in parts:
            yield Step(
                name=name,
                graph=graph,
                updates=updates,
                optimizer=written.spec,
                rate=written.rate,
                every=count,
                groups=own,
            )

    def _results(self, data: DataSet, metrics: list[str]) -> tuple[list[str], list[str]]:
        """What every epoch has: the losses, of training and on the split held out, and the metrics there."""
        if data.environment is not None:
            return [], [RETURN]
        head = f"{validation_split(data)}_"
        steps = [section.name.id for section in self.settings.steps]
        losses = steps if len(steps) > 1 else ["loss"]
        measured = losses if self.short or not metrics else []
        return [*losses, *(head + name for name in measured)], [head + name for name in metrics]

"""`train ... on ...`: steps, each a loss over some models with an optimizer. The short form is one step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import given_twice
from dlspec.elaborate.blocks import input_names, inputs_of, make_instance, resolve_graph, use_block
from dlspec.elaborate.copies import copy_of, every, model_named
from dlspec.elaborate.data import column_frame, column_places, prepared_columns
from dlspec.elaborate.declarations import Settings, data_set, unknown_model
from dlspec.elaborate.environment import best_action, check_play, check_policy
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.frozen_models import kept_model, refuse_frozen, with_frozen
from dlspec.elaborate.gathered import of_epoch, refuse_gathering
from dlspec.elaborate.gradients import settled
from dlspec.elaborate.initial_weights import initial_weights
from dlspec.elaborate.optimizers import optimizer_of
from dlspec.elaborate.progress import define_progress
from dlspec.elaborate.statements import Run
from dlspec.elaborate.training_rules import SETTINGS as UPDATE_SETTINGS
from dlspec.elaborate.training_rules import update_settings
from dlspec.elaborate.training_runs import SETTINGS as RUN_SETTINGS
from dlspec.elaborate.training_runs import run_settings
from dlspec.elaborate.training_speed import SETTINGS as SPEED_SETTINGS
from dlspec.elaborate.training_speed import check_executions, recomputed, speed_settings
from dlspec.elaborate.values import POISON, BlockDefinition, BlockInstance, Marker, Poisoned, describe
from dlspec.ir.builder import Handle
from dlspec.ir.prune import pruned
from dlspec.ir.training import Copy, DataSet, OptimizerSpec, Step, Training, validation_split
from dlspec.syntax import tree
from dlspec.syntax.source import Span

KNOWN = [
    "loss", "optimizer", "metrics", "batch_size", "epochs", "max_steps", "policy", "seed", "models", "init_from",
    "deterministic",     *RUN_SETTINGS, *UPDATE_SETTINGS, *SPEED_SETTINGS,
]  # fmt: skip


def train(item: tree.Declaration, builder: Any) -> Training:
    """The training that a declaration describes."""
    return _Trainer(item, builder).build()


# Where the settings of the short form go when there are steps.
_MOVED = {
    "loss": "end each step with `minimize ...`",
    "optimizer": "write it at the step: `step NAME updates MODEL with Adam(lr = 1e-3) { ... }`",
}


class _Trainer:
    def __init__(self, item: tree.Declaration, builder: Any) -> None:
        self.item, self.builder, self.session = item, builder, builder.session
        self.settings = Settings(item, KNOWN, builder.session)
        self.origins: dict[str, Span] = {}
        self.models: dict[str, BlockInstance] = {}
        self.frozen: list[str] = []
        self.short = not self.settings.steps

    def build(self) -> Training:
        """Every part is checked, so that independent mistakes are told together."""
        settings, frame, attempt = self.settings, self.builder.frame(), self.settings.attempt
        numbers = {
            name: attempt(partial(settings.whole, name, default, frame, least))
            for name, default, least in (("batch_size", 32, 1), ("epochs", 1, 1), ("seed", 0, 0))
        }
        optimizers = [
            attempt(partial(optimizer_of, expr, self.item.name.id, frame))
            for expr in self._optimizer_settings()
        ]
        everies = [attempt(partial(every, s.every, frame)) for s in settings.steps]
        max_steps = (
            attempt(lambda: settings.whole("max_steps", 1, frame)) if settings.get("max_steps") else None
        )
        if max_steps and settings.get("epochs") is None:
            numbers["epochs"] = max_steps  # as many as that takes, since each has a step
        rules = update_settings(settings, frame)
        deterministic = attempt(partial(settings.flag, "deterministic", frame))
        found = attempt(self._find_data)
        ready = found and attempt(self._the_model if self.short else self._several_models)
        graphs = self._loss_graphs() if ready else []
        for key in filter(None, graphs):
            attempt(partial(refuse_gathering, self.session.graphs, key, self.item.name.span))
        keys = (
            {n: resolve_graph(m, None, m.span, self.session) for n, m in self.models.items()} if ready else {}
        )
        copies = [attempt(partial(self._copy, c, keys, frame)) for c in settings.copies] if ready else []
        initial = attempt(
            lambda: initial_weights(settings.get("init_from"), keys or self.models, self.builder)
        )
        speed = speed_settings(settings, frame)
        evaluate_key, metrics = (ready and attempt(self._evaluation)) or (None, [])
        run = attempt(partial(run_settings, settings, frame, *self._results(metrics))) if ready else {}
        policy = attempt(self._policy) if ready else None
        remat = attempt(partial(recomputed, settings, self.session.graphs, keys.values())) if ready else ()
        settings.finish()
        training = Training(
            name=self.item.name.id,
            data=self.data.name,
            models=keys,
            steps=tuple(self._steps(graphs, optimizers, everies)),
            copies=tuple(copies),
            frozen=tuple(self.frozen),
            evaluate=evaluate_key,
            metrics=tuple(metrics),
            max_steps=max_steps,
            policy=policy,
            init_from=initial,
            **speed,
            remat=remat,
            deterministic=bool(deterministic),
            doc=self.item.doc,
            **numbers,
            **run,
            **rules,
        )
        return check_executions(training, settings, self.session.graphs)

    # --- data and models --------------------------------------------------------------------------

    def _find_data(self) -> bool:
        name = self.item.other
        if name is None:
            raise fail("DLS0503", f"`train {self.item.name.id}` does not say what it learns from",
                       self.item.name.span, "on which data?",
                       f"write `train {self.item.name.id} on DATA {{ ... }}`")  # fmt: skip
        self.data: DataSet = data_set(name, self.builder)
        self.columns = prepared_columns(self.data.columns, self.data.prepare, self.data.windows, self.session)
        marker = self.builder.scope.names.get(name.id)
        self.origins = column_places(marker.payload) if isinstance(marker, Marker) else {}
        return True

    def _definition(self, name: tree.Name) -> BlockDefinition:
        value = self.builder.scope.names.get(name.id)
        if value is POISON or (value is None and self.builder.scope.is_incomplete()):
            raise Poisoned
        if not isinstance(value, BlockDefinition) or not value.block.is_model:
            raise unknown_model(name, self.builder)
        return value

    def _the_model(self) -> bool:
        definition = self._definition(self.item.name)
        if "models" in self.settings.values:
            raise fail("DLS0510", "`models` needs `step`s that say how each learns",
                       self.settings.values["models"].name.span, "there are no steps",
                       "write `step NAME updates MODEL with Adam(lr = 1e-3) { ... }`")  # fmt: skip
        instance = make_instance(definition, [], self.item.name.span, self.builder.frame())
        instance.explicit = "model"
        self.models["model"] = instance
        return True

    def _several_models(self) -> bool:
        for name in ("loss", "optimizer"):
            if name in self.settings.values:
                raise fail("DLS0510", f"`{name}` is set beside `step`s, which have their own",
                           self.settings.values[name].name.span, "none of the steps uses it",
                           _MOVED[name])  # fmt: skip
        expr = self.settings.require("models", "write `models = { G: Generator, D: Discriminator }`")
        if not isinstance(expr, tree.Dict) or not expr.items:
            raise fail("DLS0505", "`models` must be a dictionary of names and models", expr.span,
                       "not a dictionary", "write `models = { G: Generator, D: Discriminator }`")  # fmt: skip
        for key, written in expr.items:
            first = next(other.span for other, _ in expr.items if other.id == key.id)
            if first is not key.span:
                raise given_twice(f"the model `{key.id}`", key.span, first)
            if key.id in self.columns:
                notes = [Note(self.origins[key.id], "first here")] if key.id in self.origins else []
                raise SpecError(
                    [
                        Diagnostic(
                            "DLS0412",
                            f"`{key.id}` is a column of `{self.data.name}` already",
                            key.span,
                            "again here",
                            notes,
                            "call the model something else",
                        )
                    ]
                )
            self.models[key.id] = self._player(key.id, written)
        return True

    def _player(self, name: str, written: tree.Expr) -> BlockInstance:
        inside = kept_model(written)
        if inside is not None:
            self.frozen.append(name)
        value = evaluate(inside or written, self.builder.frame())
        if isinstance(value, BlockDefinition):
            value = make_instance(value, [], written.span, self.builder.frame())
        if not isinstance(value, BlockInstance) or not value.definition.block.is_model:
            hint = "declare it with `model`" if isinstance(value, BlockInstance) else None
            raise fail(
                "DLS0507",
                f"`{name}` must be a model, not {describe(value)}",
                written.span,
                "not a model",
                hint,
            )
        value.explicit = name
        return value

    def _frame(self, name: str) -> Frame:
        """A frame with the columns as inputs and, where they have names, the models as instances of its own."""
        frame = column_frame(name, self.columns, self.builder, self.origins)
        frame.training = True
        for key, model in self.models.items() if not self.short else ():
            frame.scope.define(key, _copy(model))
        return frame

    def _apply_model(self, frame: Frame) -> None:
        """Short form: feed the columns to the model by name; its outputs are in scope by name.

        So is the model itself, for its weights, as `model`, where no column or output is called so.
        """
        instance = _copy(self.models["model"])
        span = self.item.name.span
        operands = [self._column(frame, name, span) for name in input_names(instance.definition)]
        result = use_block(instance, operands, span, frame)
        graph = self.session.graphs[instance.key]
        values = result if isinstance(result, tuple) else (result,)
        assert frame.builder is not None
        for output, value in zip(graph.outputs, values, strict=True):
            frame.builder.label(value, output.name)
            frame.scope.define(output.name, value)
        if "model" not in frame.scope.names:
            frame.scope.define("model", instance)

    def _column(self, frame: Frame, name: str, span: Span) -> Handle:
        if name not in self.columns:
            guess = closest(name, list(self.columns))
            hint = f"did you mean `{guess}`?" if guess else f"its columns are {', '.join(self.columns)}"
            statement = next(s for s in inputs_of(self.models["model"].definition) if s.name.id == name)
            notes = [Note(statement.span, "declared here")]
            message = f"the model's input `{name}` is no column of `{self.data.name}`"
            label = "its inputs are fed by the columns of their names"
            raise SpecError([Diagnostic("DLS0511", message, span, label, notes, hint)])
        handle: Handle = frame.scope.names[name]
        return handle

    # --- steps ------------------------------------------------------------------------------------

    def _optimizer_settings(self) -> list[tree.Expr]:
        """The optimizer as written, of each step."""
        if not self.short:
            return [section.optimizer for section in self.settings.steps]
        attempt, require = self.settings.attempt, self.settings.require
        expr = attempt(lambda: require("optimizer", "write `optimizer = Adam(lr = 1e-3)`"))
        return [] if expr is None else [expr]

    def _loss_graphs(self) -> list[str]:
        """The key of each step's graph."""
        if not self.short:
            return [self.settings.attempt(partial(self._step_graph, s)) for s in self.settings.steps]
        return [self.settings.attempt(self._short_graph)]

    def _short_graph(self) -> str:
        return self._loss_graph(self.settings.require("loss", "write `loss = cross_entropy(logits, label)`"))

    def _copy(self, entry: tree.Copy, keys: dict[str, str], frame: Frame) -> Copy:
        return copy_of(entry, {} if self.short else keys, self.settings.steps, self.session.graphs, frame)

    def _steps(
        self, graphs: list[str], optimizers: list[tuple[OptimizerSpec, str | None]], everies: list[int]
    ) -> Iterator[Step]:
        if self.short:
            optimizer, rate = optimizers[0]
            yield Step(name="step", graph=graphs[0], updates=("model",), optimizer=optimizer, rate=rate)
            return
        parts = zip(self.settings.steps, graphs, optimizers, everies, strict=True)
        for section, graph, (optimizer, rate), count in parts:
            updates = tuple(name.id for name in section.updates)
            yield Step(
                name=section.name.id,
                graph=graph,
                updates=updates,
                optimizer=optimizer,
                rate=rate,
                every=count,
            )

    def _loss_graph(self, expr: tree.Expr) -> str:
        frame = self._frame(f"Loss{self.item.name.id}")
        self._apply_model(frame)
        return self._close(frame, {"loss": self._loss(expr, frame)})

    def _loss(self, expr: tree.Expr, frame: Frame) -> Handle:
        value = evaluate(expr, frame)
        if not isinstance(value, Handle):
            raise fail(
                "DLS0416", f"the loss must be a tensor, not {describe(value)}", expr.span, "not a tensor"
            )
        if value.type.rank != 0 or not value.type.is_float:
            raise fail("DLS0416", f"the loss must be a single number, but this is {value.type}", expr.span,
                       "not a scalar", "take its `mean` or `sum`")  # fmt: skip
        return value

    def _step_graph(self, section: tree.StepSection) -> str:
        for name in section.updates:
            refuse_frozen(model_named(name, self.models), self.frozen, name)
        frame = self._frame(f"Step{section.name.id.title().replace('_', '')}")
        define_progress(frame)
        run = Run(frame, None, None, False)
        run.statements(section.body.statements)
        if not run.fine:
            raise Poisoned
        losses = [handle for name, handle, _ in run.results if name == "loss"]
        if not losses:
            raise fail("DLS0512", f"the step `{section.name.id}` minimizes nothing", section.name.span,
                       "no `minimize` in its body", "end it with `minimize ...`")  # fmt: skip
        return self._close(frame, {"loss": losses[0]})

    # --- evaluation -------------------------------------------------------------------------------

    def _evaluation(self) -> tuple[str | None, list[str]]:
        """The graph of the loss (short form) and the metrics."""
        metrics = self.settings.get("metrics")
        if metrics is not None and not isinstance(metrics, tree.Dict):
            raise fail("DLS0505", "`metrics` must be a dictionary of names and expressions", metrics.span,
                       "not a dictionary", "write `metrics = { accuracy: accuracy(logits, label) }`")  # fmt: skip
        if metrics is None and not self.short:
            return None, []
        frame = self._frame(f"Evaluate{self.item.name.id}")
        outputs: dict[str, Handle] = {}
        if self.short:
            self._apply_model(frame)
            outputs["loss"] = self.settings.attempt(
                lambda: self._loss(self.settings.require("loss", ""), frame)
            )
        first: dict[str, Span] = {}
        for name, expr in metrics.items if metrics is not None else []:
            if first.setdefault(name.id, name.span) is not name.span:
                raise given_twice(f"the metric `{name.id}`", name.span, first[name.id])
            outputs[name.id] = self.settings.attempt(partial(self._metric, name, expr, frame))
        self.settings.finish()
        return self._close(frame, outputs), [n for n in outputs if n != "loss"]

    def _results(self, metrics: list[str]) -> tuple[list[str], list[str]]:
        """What every epoch has: the losses, of training and on the split held out, and the metrics there."""
        head = f"{validation_split(self.data)}_"
        steps = [section.name.id for section in self.settings.steps]
        losses = steps if len(steps) > 1 else ["loss"]
        measured = losses if self.short or not metrics else []
        return [*losses, *(head + name for name in measured)], [head + name for name in metrics]

    def _metric(self, name: tree.Name, expr: tree.Expr, frame: Frame) -> Handle:
        if name.id == "loss" and self.short:
            raise fail("DLS0204", "the metric `loss` is given twice: the loss is one already", name.span, "again here",
                       "give it another name, or leave it out")  # fmt: skip
        value = evaluate(expr, frame)
        if not isinstance(value, Handle) or not (
            of_epoch(value, self.session.graphs, expr.span) or value.type.rank == 0
        ):
            hint = (
                "take its `mean` or `sum`, or its `total` over the epoch"
                if isinstance(value, Handle)
                else None
            )
            raise fail("DLS0416", f"a metric must be a single number, but `{name.id}` is {describe(value)}",
                       expr.span, "not a scalar", hint)  # fmt: skip
        return value

    def _policy(self) -> str | None:
        """The graph of the best action, where the data is a world."""
        check_play(self.settings, self.data)
        expr = self.settings.get("policy")
        if expr is None:
            return None
        frame = self._frame(f"Policy{self.item.name.id}")
        if self.short:
            self._apply_model(frame)
        key = self._close(frame, {"action": best_action(expr, frame)})
        check_policy(expr, self.session.graphs[key])
        return key

    def _close(self, frame: Frame, outputs: dict[str, Handle]) -> str:
        assert frame.builder is not None
        for name, handle in outputs.items():
            frame.builder.output(name, handle)
        graph = pruned(frame.builder.build(frame.final_names()))
        return str(self.session.add_graph(with_frozen(settled(graph), self.frozen)))


def _copy(model: BlockInstance) -> BlockInstance:
    """The instance for one more graph: an instance belongs to the graph where it is first used."""
    return BlockInstance(
        model.definition, model.arguments, model.sources, model.span, explicit=model.explicit
    )

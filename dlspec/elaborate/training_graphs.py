"""The graphs of a training: of each loss, of the metrics, and of the policy in a world."""

from __future__ import annotations

from functools import partial
from typing import Any

from dlspec.diagnostics import Diagnostic, Note, SpecError, fail
from dlspec.diagnostics.suggest import closest
from dlspec.elaborate.arguments import given_twice
from dlspec.elaborate.blocks import input_names, inputs_of, use_block
from dlspec.elaborate.copies import model_named
from dlspec.elaborate.data import column_frame
from dlspec.elaborate.declarations import Settings
from dlspec.elaborate.environment import best_action, check_play, check_policy
from dlspec.elaborate.evaluate import evaluate
from dlspec.elaborate.frame import Frame
from dlspec.elaborate.frozen_models import refuse_frozen, with_frozen
from dlspec.elaborate.gathered import of_epoch, refuse_gathering
from dlspec.elaborate.gradients import settled
from dlspec.elaborate.progress import define_progress
from dlspec.elaborate.statements import Run
from dlspec.elaborate.training_models import Learners
from dlspec.elaborate.values import BlockInstance, Poisoned, describe
from dlspec.ir.builder import Handle
from dlspec.ir.prune import pruned
from dlspec.syntax import tree
from dlspec.syntax.source import Span


class TrainingGraphs:
    """Makes the graphs of a training, in which columns are inputs, and gives their keys.

    In the short form, without steps, the columns are fed to the one model and its outputs are known by name. Where
    there are steps, the models are known by name, and each step calls them.
    """

    def __init__(self, item: tree.Declaration, settings: Settings, learners: Learners, builder: Any) -> None:
        self.item, self.settings, self.builder, self.session = item, settings, builder, builder.session
        self.data, self.columns, self.origins = learners.data, learners.columns, learners.origins
        self.models, self.frozen = learners.models, learners.frozen
        self.short = not settings.steps

    # --- losses -----------------------------------------------------------------------------------

    def losses(self) -> list[str]:
        """The key of each step's graph."""
        if self.short:
            keys = [self.settings.attempt(self._short_graph)]
        else:
            keys = [self.settings.attempt(partial(self._step_graph, s)) for s in self.settings.steps]
        for key in filter(None, keys):
            self.settings.attempt(partial(refuse_gathering, self.session.graphs, key, self.item.name.span))
        return keys

    def _short_graph(self) -> str:
        return self._loss_graph(self.settings.require("loss", "write `loss = cross_entropy(logits, label)`"))

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

    def evaluation(self) -> tuple[str | None, list[str]]:
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

    def policy(self) -> str | None:
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

    # --- frames -----------------------------------------------------------------------------------

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

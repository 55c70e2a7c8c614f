"""The bodies of what a class `Training` computes: the losses of steps, metrics and, in a world, actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlspec.emit.code import quoted
from dlspec.emit.draws import measure_line, step_line
from dlspec.emit.function import print_function
from dlspec.emit.manifest import Backend
from dlspec.emit.training_metrics import print_epoch_metrics
from dlspec.emit.training_names import loss_methods, taken_names
from dlspec.emit.training_players import beside_frozen, with_progress
from dlspec.ir.gradients import takes_gradient
from dlspec.ir.graph import Program
from dlspec.ir.training import Step, Training
from dlspec.passes.full_precision import full_precision


class Bodies:
    """Prints the graphs of a training as bodies of methods, and keeps what they need.

    attributes
        of the models, by their names.
    epoch
        how metrics are printed that are computed over all examples at once; None where none is.
    needs
        the names of the snippets that the printed bodies call.
    """

    def __init__(
        self, program: Program, training: Training, backend: Backend, attributes: Mapping[str, str]
    ) -> None:
        self.program, self.training, self.backend, self.attributes = program, training, backend, attributes
        self.epoch = print_epoch_metrics(program, training.evaluate, backend)
        self.needs: dict[str, None] = {}

    def all(self) -> dict[str, Any]:
        """All but the losses, as the template of ``train.py`` is told of them."""
        return {
            "metrics": self._metrics(),
            "policy": self._policy(),
            "differentiates": self._differentiates(),
            "epoch": self.epoch,
        }

    def loss(self, step: Step) -> str:
        """The loss of a step."""
        return self._body(step.graph, _single, begin=step_line(self.program, step.graph, self.backend))

    def _metrics(self) -> str:
        measured = self.training.evaluate
        if measured is not None:
            key, program = measured, self.program
            if self.epoch is not None:
                key, program = self.epoch.split.batch, self.epoch.split.program
            return self._body(key, _dictionary, program, measure_line(program, key, self.backend))
        losses = loss_methods(self.training)
        calls = {self.training.loss_key(name): f"self.{method}(batch)" for name, method in losses.items()}
        return f"return {_dictionary(calls)}"

    def _policy(self) -> str:
        """The best actions, in a world."""
        return self._body(self.training.policy, _single) if self.training.policy is not None else ""

    def _differentiates(self) -> bool:
        """Whether the metrics take gradients."""
        evaluate = self.training.evaluate
        keys = [evaluate] if evaluate is not None else [step.graph for step in self.training.steps]
        return any(takes_gradient(self.program.graphs[key]) for key in keys)

    def _body(
        self,
        key: str,
        returned: Callable[[Mapping[str, str]], str],
        program: Program | None = None,
        begin: Sequence[str] = (),
    ) -> str:
        training, program = self.training, program or self.program
        if training.precision != "f32":
            program = full_precision(program, key)
        steps = {step.graph for step in training.steps}
        backend = beside_frozen(program, key, self.backend) if key in steps else self.backend
        function = print_function(
            program, key, backend, training.models.values(), taken_names(training), self.attributes
        )
        function = with_progress(function, self.program, training, self.backend)
        self.needs.update(dict.fromkeys(function.needs))
        return "\n".join(
            [*begin, *function.unpacked("batch", 8), *function.lines, f"return {returned(function.results)}"]
        )


def _single(results: Mapping[str, str]) -> str:
    return next(iter(results.values()))


def _dictionary(results: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{quoted(name)}: {value}" for name, value in results.items()) + "}"

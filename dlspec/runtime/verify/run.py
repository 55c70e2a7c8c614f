"""The verification itself: print, load, run, compare."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from dlspec.emit.draws import counted
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import in_double, print_onnx
from dlspec.emit.project import model_class, print_model_files, print_project
from dlspec.emit.training_names import attribute_names
from dlspec.ir.graph import Program
from dlspec.ir.paths import under_any
from dlspec.ir.training import Training
from dlspec.passes.named_draws import draws
from dlspec.runtime.data_errors import reading
from dlspec.runtime.project import Project, load_project
from dlspec.runtime.verify.drawn import fed
from dlspec.runtime.verify.gradients import compare_gradients
from dlspec.runtime.verify.inputs import drawn_inputs
from dlspec.runtime.verify.report import Report, compare
from dlspec.runtime.verify.sides import FRAMEWORKS, Arrays, Keras, Torch
from dlspec.runtime.verify.trajectory import (
    DISTURBANCE,
    Trajectories,
    check,
    deterministic,
    double_precision,
    has_batches,
    readable,
)
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

Tell = Callable[[str], None]

TOLERANCES = {
    # what: (f32, f64)
    "outputs": (1e-5, 1e-9),
    "gradients": (1e-5, 1e-9),
    "weights": (1e-4, 1e-9),
}


def verify(
    program: Program, model: str, *, backends: list[str], train_steps: int = 0, double: bool = False,
    seed: int = 0, tolerance: float | None = None, tell: Tell = lambda what: None,
) -> Report:  # fmt: skip
    """Compare all `backends` with PyTorch (or the first of them) on one model of a program.

    tell
        is called with what is computed next, in words.
    """
    return _Verification(program, model, backends, double, seed, tolerance, tell).run(train_steps)


class _Verification:
    def __init__(
        self,
        program: Program,
        model: str,
        backends: list[str],
        double: bool,
        seed: int,
        tolerance: float | None,
        tell: Tell,
    ) -> None:
        self.tell = tell
        self.program, self.model, self.double, self.seed = program, model, double, seed
        self.backends, self.tolerance = backends, tolerance
        # The training of this model alone: others have no single loss and no single model.
        self.training = next((t for t in program.trainings_of(model) if len(t.models) == 1), None)
        self.report = Report(model, "f64" if double else "f32")
        self.projects: dict[tuple[str, bool], Project] = {}

    def run(self, train_steps: int) -> Report:
        with tempfile.TemporaryDirectory(prefix="dlspec-") as folder:
            self.weights = Path(folder) / "weights.safetensors"
            self.initial = draw_weights(self.program, self.model, self.seed)
            save_weights(self.weights, self.initial)
            sides = {name: self._side(name) for name in self.backends if name in FRAMEWORKS}
            batch = self._batch(next(iter(sides.values()), None))
            self._outputs(sides, batch)
            if len(sides) == 2:
                self._gradients(batch)
                if train_steps:
                    self._train(train_steps)
        return self.report

    def _limit(self, what: str) -> float:
        return TOLERANCES[what][self.double] if self.tolerance is None else self.tolerance

    def _side(self, name: str, double: bool | None = None) -> Torch | Keras:
        """A framework's adapter; projects are printed and imported once."""
        chosen = self.double if double is None else double
        if (name, chosen) not in self.projects:
            self.projects[name, chosen] = load_project(self._files(name, chosen))
        backend = load_backend(name)
        cls = model_class(self.program, self.model, backend)
        attribute = next(iter(attribute_names(self.training, backend).values())) if self.training else None
        return FRAMEWORKS[name](self.projects[name, chosen], cls, self.weights, chosen, attribute)

    def _files(self, name: str, double: bool) -> dict[str, str]:
        """The printed files; in double precision all that they say of f32 is said of f64."""
        backend = in_double(load_backend(name)) if double else load_backend(name)
        if self.training is None:
            drawn = draws(self.program, self.program.models[self.model])
            files = print_model_files(self.program, self.model, counted(backend) if drawn else backend)
        else:
            files = print_project(deterministic(self.program), self.training.name, backend)
        return double_precision(files) if double else files

    def _batch(self, side: Any) -> Arrays:
        """The first batch of training, or a drawn input."""
        if self.training is None or side is None or not readable(self.program, self.training):
            return drawn_inputs(self.program, self.program.models[self.model], self.seed)
        data = side.project.data
        declared = self.program.data[self.training.data]
        columns = reading(self.program, declared, lambda: data.load(next(iter(declared.split))))
        batch: Arrays = next(data.batches(columns, self.training.batch_size, self.training.seed))
        return batch

    # --- outputs ----------------------------------------------------------------------------------

    def _outputs(self, sides: dict[str, Torch | Keras], batch: Arrays) -> None:
        graph = self.program.model(self.model)
        wanted = [value.name for value in graph.inputs]
        if not batch.keys() >= set(wanted):  # steps feed the model something else than columns, such as noise
            batch = drawn_inputs(self.program, self.program.models[self.model], self.seed)
        inputs = {name: batch[name] for name in wanted}
        names = [output.name for output in graph.outputs]
        found = []
        for side in sides.values():
            self.tell(f"outputs by {side.name}")
            found.append((side.name, side.outputs(inputs, names)))
        program = self.program
        if draws(program, program.models[self.model]) - {"Dropout"}:
            program, inputs = fed(program, program.models[self.model], inputs, self.double)
        if "onnx" in self.backends:
            self.tell("outputs by ONNX Runtime")
            outputs = self._onnx(program, inputs)
            if outputs is not None:
                found.append(("ONNX", outputs))
        self.tell("outputs by the reference, in NumPy and f64")
        found.append(("reference", self._reference(program, inputs)))
        for other in found[1:]:
            self.report.checks.append(compare("outputs", found[0], other, self._limit("outputs")))

    def _onnx(self, program: Program, inputs: Arrays) -> Arrays | None:
        from dlspec.runtime.onnx import check, predict, session, to_model

        text = print_onnx(program, self.model, load_backend("onnx"), double=self.double)
        model = to_model(text, self.initial)
        check(model)
        try:
            names = [output.name for output in self.program.model(self.model).outputs]
            return predict(session(model), inputs, names)
        except Exception as error:
            if not self.double or "NOT_IMPLEMENTED" not in str(error):
                raise
            self.report.notes.append(
                "ONNX Runtime lacks an operator of this model in f64, so it is not compared"
            )
            return None

    def _reference(self, program: Program, inputs: Arrays) -> Arrays:
        from dlspec.runtime.interpreter import run

        return run(program, program.models[self.model], inputs, self.initial, double=True)

    # --- gradients and training -------------------------------------------------------------------

    def _gradients(self, batch: Arrays) -> None:
        key = self.program.models[self.model]
        weights = self.program.all_weights(key)
        learns = any(weight.trainable for weight in weights)
        smooth = any(type.is_float for type in self.program.model(self.model).output_types())
        if self.training is None:
            players = [t for t in self.program.trainings.values()
                       if any(t.models[name] == key for s in t.steps for name in s.updates)]  # fmt: skip
            there = [training for training in players if has_batches(self.program, training)]
            for training in there:
                self._gradients_of_players(training)
            if there:
                return
        if learns and smooth:
            self._gradients_of_model(batch)

    def _gradients_of_model(self, batch: Arrays) -> None:
        """Of the model's own training, or of its outputs where it has none, or no data here."""
        training = self.training if self.training and readable(self.program, self.training) else None
        steps: list[str | None] = [s.name for s in training.steps] if training else []
        for step in steps or [None]:
            key = None if step is None or training is None else training.loss_key(step)

            def gradients(name: str, double: bool, key: str | None = key) -> Arrays:
                return self._trainable(self._side(name, double).gradients(batch, key))

            self._compare_gradients("gradients" if len(steps) <= 1 else f"gradients of {step}", gradients)

    def _gradients_of_players(self, training: Training) -> None:
        """Of the losses of a training of several models."""
        runs = Trajectories(self.program, training.name, 1, self.seed)
        for step in training.steps:
            name = f"{training.name}.{step.name}" if len(training.steps) > 1 else training.name
            self._compare_gradients(f"gradients of {name}", partial(runs.gradients, step))

    def _compare_gradients(self, what: str, gradients: Callable[[str, bool], Arrays]) -> None:
        def told(name: str, double: bool) -> Arrays:
            self.tell(f"{what} by {FRAMEWORKS[name].name} in {'f64' if double else 'f32'}")
            return gradients(name, double)

        compare_gradients(self.report, what, told, self.tolerance, TOLERANCES["gradients"])

    def _train(self, count: int) -> None:
        """The weights after some steps of every training that the model is part of."""
        trainings = self.program.trainings_of(self.model)
        if not trainings:
            self.report.notes.append("the spec trains nothing, so no training steps are compared")
        for training in trainings:
            if not has_batches(self.program, training):
                self.report.notes.append(
                    f"the data of `train {training.name}` is not here, so no steps are compared"
                )
                continue
            self.tell(f"{count} steps of {training.name}")
            runs = Trajectories(self.program, training.name, count, self.seed)
            found = runs.compare(self.double)
            self.report.trajectories.append(found)
            limit = self._limit("weights")
            if found.error > limit and not self.double and self.tolerance is None:
                exact = runs.compare(double=True, floor=False)
                if exact.error <= TOLERANCES["weights"][True]:
                    self.report.trajectories.append(exact)
                    self.report.notes.append(
                        f"weights are compared in f64: in f32 they differ by {found.error:.0e}, and PyTorch from"
                        f" itself by {found.chaos:.0e} where it begins from weights disturbed by {DISTURBANCE:.0e}"
                    )
                    found, limit = exact, TOLERANCES["weights"][True]
            self.report.checks.append(check(found, limit))

    def _trainable(self, gradients: Arrays) -> Arrays:
        weights = list(self.program.all_weights(self.program.models[self.model]))
        names = {w.name for w in weights if w.trainable}
        if self.training is not None:
            names -= under_any(self.training.freeze, [w.name for w in weights])
        return {name: array for name, array in gradients.items() if name in names}

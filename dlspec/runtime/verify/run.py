"""The verification itself: print, load, run, compare."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import print_onnx
from dlspec.emit.project import model_class, print_model_files, print_project
from dlspec.emit.training import attribute_names
from dlspec.ir.graph import Call, Program
from dlspec.ir.training import Training
from dlspec.runtime.project import Project, load_project
from dlspec.runtime.verify.inputs import drawn_inputs
from dlspec.runtime.verify.report import Check, Report, compare
from dlspec.runtime.verify.sides import FRAMEWORKS, Arrays, Keras, Torch
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

TOLERANCES = {
    # what: (f32, f64)
    "outputs": (1e-5, 1e-9),
    "gradients": (1e-5, 1e-9),
    "weights": (1e-4, 1e-9),
}
COMPUTING = ("model.py", "train.py")
"""The files of a project that state the precision of a computation."""
ZERO = 1e-12
"""A gradient below this part of the largest, in f64, is zero in exact arithmetic."""


def verify(
    program: Program, model: str, *, backends: list[str], train_steps: int = 0, double: bool = False,
    seed: int = 0, tolerance: float | None = None,
) -> Report:  # fmt: skip
    """Compare all `backends` with PyTorch (or the first of them) on one model of a program."""
    return _Verification(program, model, backends, double, seed, tolerance).run(train_steps)


class _Verification:
    def __init__(
        self,
        program: Program,
        model: str,
        backends: list[str],
        double: bool,
        seed: int,
        tolerance: float | None,
    ) -> None:
        self.program, self.model, self.double, self.seed = program, model, double, seed
        self.backends, self.tolerance = backends, tolerance
        self.training = next((t for t in program.trainings.values() if program.models[model] in t.models.values()
                              and len(t.models) == 1), None)  # fmt: skip
        self.counted = program.model_copy(update={"trainings": {
            name: t.model_copy(update={"deterministic": True}) for name, t in program.trainings.items()}})  # fmt: skip
        self.report = Report(model, "f64" if double else "f32")
        self.projects: dict[tuple[str, bool], Project] = {}

    def run(self, train_steps: int) -> Report:
        with tempfile.TemporaryDirectory(prefix="dlspec-") as folder:
            self.weights = Path(folder) / "weights.safetensors"
            self.initial = draw_weights(self.program, self.model, self.seed)
            save_weights(self.weights, self.initial)
            sides = {name: self._side(name) for name in self.backends if name in FRAMEWORKS}
            batches = self._batches(next(iter(sides.values()), None), max(train_steps, 1))
            self._outputs(sides, batches[0])
            if len(sides) == 2:
                self._gradients(sides, batches[0])
                if train_steps:
                    self._train(sides, batches, train_steps)
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
        backend = load_backend(name)
        if self.training is None:
            files = print_model_files(self.program, self.model, backend)
        else:
            files = print_project(self.counted, self.training.name, backend)
        if double:  # tensors that the code makes, which no switch of the framework reaches
            files |= {f: files[f].replace("float32", "float64") for f in files if f in COMPUTING}
        return files

    def _batches(self, side: Any, count: int) -> list[Arrays]:
        """Real batches in the order of training, or one drawn input."""
        if self.training is None or side is None or not _readable(self.program, self.training):
            return [drawn_inputs(self.program, self.program.models[self.model], self.seed)]
        data = side.project.data
        columns = data.load("train")
        found: list[Arrays] = []
        epoch = 0
        while len(found) < count:
            found += list(data.batches(columns, self.training.batch_size, self.training.seed, epoch))
            epoch += 1
        return found[:count]

    # --- outputs ----------------------------------------------------------------------------------

    def _outputs(self, sides: dict[str, Torch | Keras], batch: Arrays) -> None:
        graph = self.program.model(self.model)
        wanted = [value.name for value in graph.inputs]
        if not batch.keys() >= set(wanted):  # steps feed the model something else than columns, such as noise
            batch = drawn_inputs(self.program, self.program.models[self.model], self.seed)
        inputs = {name: batch[name] for name in wanted}
        names = [output.name for output in graph.outputs]
        found = [(side.name, side.outputs(inputs, names)) for side in sides.values()]
        if "onnx" in self.backends:
            outputs = self._onnx(inputs)
            if outputs is not None:
                found.append(("ONNX", outputs))
        found.append(("reference", self._reference(inputs)))
        for other in found[1:]:
            self.report.checks.append(compare("outputs", found[0], other, self._limit("outputs")))

    def _onnx(self, inputs: Arrays) -> Arrays | None:
        from dlspec.runtime.onnx import check, predict, session, to_model

        text = print_onnx(self.program, self.model, load_backend("onnx"), double=self.double)
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

    def _reference(self, inputs: Arrays) -> Arrays:
        from dlspec.runtime.interpreter import run

        return run(self.program, self.program.models[self.model], inputs, self.initial, double=True)

    # --- gradients and training -------------------------------------------------------------------

    def _gradients(self, sides: dict[str, Torch | Keras], batch: Arrays) -> None:
        weights = self.program.all_weights(self.program.models[self.model])
        learns = any(weight.trainable for weight in weights)
        smooth = any(type.is_float for type in self.program.model(self.model).output_types())
        if self.training is None and self._random():
            return
        if not (learns and smooth):
            return
        inputs = batch if self.training else dict(batch)
        steps = [None] if self.training is None else [s.name for s in self.training.steps]
        for step in steps:
            key = None if step is None else ("loss" if len(steps) == 1 else step)
            exact = self._trainable(self._side("torch", double=True).gradients(inputs, key))
            self.report.noise = _noise(exact)
            skip = set(self.report.noise)
            pair = [(side.name, self._trainable(side.gradients(inputs, key))) for side in sides.values()]
            what = "gradients" if len(steps) == 1 else f"gradients of {step}"
            check = compare(what, pair[0], pair[1], self._limit("gradients"), skip)
            if not check.ok and not self.double and self.tolerance is None:
                check = self._gradients_in_f64(check, exact, inputs, key)
            self.report.checks.append(check)

    def _gradients_in_f64(self, check: Check, exact: Arrays, inputs: Arrays, step: str | None) -> Check:
        """The comparison again, where f32 cannot tell: rounding decides on which side of a ReLU's kink or which
        element of a window a value falls, and is magnified where the variance of a batch is small. What is
        wrong for another reason is wrong in f64, too.
        """
        keras = self._trainable(self._side("keras", double=True).gradients(inputs, step))
        limit = TOLERANCES["gradients"][True]
        skip = set(self.report.noise)
        again = compare(f"{check.what} in f64", ("PyTorch", exact), ("Keras", keras), limit, skip)
        if not again.ok:
            return check
        self.report.notes.append(
            f"{check.what} are compared in f64, as rounding to f32 makes a difference of {check.error:.0e}"
        )
        return again

    def _train(self, sides: dict[str, Torch | Keras], batches: list[Arrays], count: int) -> None:
        if self.training is None:
            self.report.notes.append("the spec trains nothing, so no training steps are compared")
            return
        skip = set(self.report.noise)
        pair = [(side.name, side.train(batches)) for side in sides.values()]
        what = f"weights after {count} steps"
        self.report.checks.append(compare(what, pair[0], pair[1], self._limit("weights"), skip))
        moved = compare(what, pair[0], ("start", self.initial), 1.0, skip)
        if not moved.error:
            self.report.checks.append(
                Check("training moves the weights", "PyTorch", "start", float("inf"), 1.0)
            )

    def _trainable(self, gradients: Arrays) -> Arrays:
        names = {w.name for w in self.program.all_weights(self.program.models[self.model]) if w.trainable}
        return {name: array for name, array in gradients.items() if name in names}

    def _random(self) -> bool:
        """Whether training draws random numbers, which each framework draws for itself."""
        keys = [self.program.models[self.model], *(s.graph for s in self.training.steps)] if self.training else [
            self.program.models[self.model]]  # fmt: skip
        drawn = sorted({name for key in keys for name in _random_operators(self.program, key)})
        note = f"gradients and training are not compared: {', '.join(drawn)} draws differ between frameworks"
        if drawn and note not in self.report.notes:
            self.report.notes.append(note)
        return bool(drawn)


def _noise(exact: Arrays) -> list[str]:
    """Weights whose gradient is nothing but rounding, though not exactly zero."""
    sizes = {name: float(np.abs(array).max(initial=0.0)) for name, array in exact.items()}
    largest = max(sizes.values(), default=0.0)
    return [name for name, size in sizes.items() if 0 < size < ZERO * largest]


def _random_operators(program: Program, key: str) -> set[str]:
    found: set[str] = set()
    for node in program.graphs[key].nodes:
        if isinstance(node.op, Call):
            found |= _random_operators(program, node.op.graph)
        elif node.op.random:
            found.add(node.op.spec_name())
    return found


def _readable(program: Program, training: Training) -> bool:
    """Whether the data ships with a library, so that it is there on every machine."""
    return program.data[training.data].source.kind == "sklearn"

"""The same trajectory? A training on both frameworks from the same weights, with the same batches and draws.

Beside the difference stands the chaos floor: PyTorch against itself from weights disturbed by a relative 1e-7, the
largest of four such runs.
Where training magnifies roundings, frameworks cannot differ by less than this, whatever their formulas.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.elaborate.sources import source_kind, source_path
from dlspec.emit.manifest import load_backend
from dlspec.emit.onnx import in_double
from dlspec.emit.project import print_project
from dlspec.emit.training_names import attribute_names
from dlspec.ir.graph import Program
from dlspec.ir.training import Step, Training
from dlspec.ops.streams import generator
from dlspec.runtime.project import load_project
from dlspec.runtime.training import as_model
from dlspec.runtime.verify.gradients import noise_of
from dlspec.runtime.verify.report import Check, Trajectory, compare
from dlspec.runtime.verify.sides import FRAMEWORKS, Arrays, Keras, Torch
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

DISTURBANCE = 1e-7
"""By which the weights of the chaos floor are disturbed: about half a unit in the last place of f32."""
DISTURBED = 4
"""How many such runs there are, of which the one that strays farthest counts: whether a rounding tips a value over a
kink is chance."""
COMPUTING = ("model.py", "train.py")
"""The files of a project that state the precision of a computation."""
SHIPPED = ("sklearn", "synthetic", "text", "statsmodels", "python")
"""Sources that are on every machine that can train; `python` is only where the command line names a function."""


def double_precision(files: dict[str, str], computing: Collection[str] = COMPUTING) -> dict[str, str]:
    """A project that computes in f64: tensors that its code makes, which no switch of a framework reaches."""
    return files | {name: files[name].replace("float32", "float64") for name in computing if name in files}


def deterministic(program: Program) -> Program:
    """The program whose trainings draw from counted streams, each in one process."""
    alone = {"deterministic": True, "parallel": None}
    trainings = {n: t.model_copy(update=alone) for n, t in program.trainings.items()}
    return program.model_copy(update={"trainings": trainings})


def readable(program: Program, training: Training) -> bool:
    """Whether the data is here: it ships with a library, or is a file or folder that there is."""
    source = program.data[training.data].source
    path = source_path(source)
    if path is None:
        return source.kind in SHIPPED
    return path.exists() and all(find_spec(module) for module in source_kind(source).get("needs", ()))


def has_batches(program: Program, training: Training) -> bool:
    """Whether there are examples on this machine: data that is here, or a world to play in."""
    world = program.data[training.data].environment is not None
    return readable(program, training) or (world and find_spec("gymnasium") is not None)


def played(data: Any, size: int, count: int, seed: int) -> list[Arrays]:
    """Batches of `size` transitions in which every action was random, from a project's `data`."""
    random = np.random.Generator(generator(seed, "verify:play"))
    world, replay = data.make(), data.Replay()
    world.action_space.seed(seed)
    state, _ = world.reset(seed=seed)
    for _ in range(10 * size):
        action = world.action_space.sample()
        next_state, reward, terminal, stopped, _ = world.step(action)
        replay.add(
            {
                "state": state,
                "action": action,
                "reward": reward,
                "next_state": next_state,
                "terminal": terminal,
            }
        )
        state = world.reset()[0] if terminal or stopped else next_state
    return [replay.sample(size, random) for _ in range(count)]


class Trajectories:
    """A training of a program, run for a few steps on each framework in each precision."""

    def __init__(self, program: Program, name: str, steps: int = 20, seed: int = 0) -> None:
        self.program, self.training = deterministic(program), program.trainings[name]
        self.steps = steps
        self._folder = tempfile.TemporaryDirectory(prefix="dlspec-")
        self.start = draw_weights(*as_model(program, self.training), seed)
        self.weights = self._saved("weights", self.start)
        random = np.random.Generator(generator(seed, "verify:disturbance"))
        self.disturbed = [self._saved(f"disturbed{run}", self._disturb(random)) for run in range(DISTURBED)]

    def compare(self, double: bool = False, floor: bool = True) -> Trajectory:
        """PyTorch against Keras, and the chaos floor, unless it is not wanted."""
        one = ("PyTorch", self.trained("torch", double))
        other = ("Keras", self.trained("keras", double))
        found = compare("weights", one, other, 1.0, set(self.noise))
        chaos = max(self._strayed(one, weights, double) for weights in self.disturbed) if floor else None
        moved = compare("weights", one, ("start", self.start), 1.0, set(self.noise)).error
        error = found.error if moved else float("inf")
        assert error is not None
        return Trajectory(self.training.name, "f64" if double else "f32", self.steps, error, found.tensor,
                          chaos, tuple(self.noise))  # fmt: skip

    def _disturb(self, random: np.random.Generator) -> Arrays:
        """The weights to start from, each number changed by about `DISTURBANCE` of itself."""
        return {
            name: (array * (1 + DISTURBANCE * random.standard_normal(array.shape))).astype(array.dtype)
            if array.dtype.kind == "f"
            else array
            for name, array in self.start.items()
        }

    def _strayed(self, one: tuple[str, Arrays], weights: Path, double: bool) -> float:
        """How far PyTorch comes from itself if it begins with disturbed weights."""
        other = ("PyTorch, disturbed", self.trained("torch", double, weights))
        error = compare("weights", one, other, 1.0, set(self.noise)).error
        assert error is not None
        return error

    def trained(self, name: str, double: bool, weights: Path | None = None) -> Arrays:
        """The weights that a framework comes to."""
        return self._side(name, double, weights or self.weights).train(self.batches)

    @cached_property
    def noise(self) -> list[str]:
        """Weights whose true gradient is zero in every step: Adam and its like move them by roundings."""
        found = [noise_of(self.gradients(step, "torch", double=True)) for step in self.training.steps]
        return list(dict.fromkeys(name for each in found for name in each))

    def gradients(self, step: Step, name: str, double: bool) -> Arrays:
        """The gradients of a step's loss on the first batch, by the weights that the step changes."""
        alone = len(self.training.models) == 1
        wanted = {
            weight.name if alone else f"{model}.{weight.name}"
            for model in step.updates
            for weight in self.program.all_weights(self.training.models[model])
            if weight.trainable
        }
        side = self._side(name, double, self.weights)
        found = side.gradients(self.batches[0], self.training.loss_key(step.name))
        return {name: array for name, array in found.items() if name in wanted}

    @cached_property
    def batches(self) -> list[Arrays]:
        """The first batches of training; more epochs than one where the data is short."""
        data = self._project("torch", False).data
        if self.program.data[self.training.data].environment is not None:
            return played(data, self.training.batch_size, self.steps, self.training.seed)
        columns = data.load(next(iter(self.program.data[self.training.data].split)))
        found: list[Arrays] = []
        epoch = 0
        while len(found) < self.steps:
            found += list(data.batches(columns, self.training.batch_size, self.training.seed, epoch))
            epoch += 1
        return found[: self.steps]

    @cached_property
    def _projects(self) -> dict[tuple[str, bool], Any]:
        return {}

    def _project(self, name: str, double: bool) -> Any:
        if (name, double) not in self._projects:
            backend = in_double(load_backend(name)) if double else load_backend(name)
            files = print_project(self.program, self.training.name, backend)
            self._projects[name, double] = load_project(double_precision(files) if double else files)
        return self._projects[name, double]

    def _side(self, name: str, double: bool, weights: Path) -> Torch | Keras:
        attributes = list(attribute_names(self.training, load_backend(name)).values())
        attribute = attributes[0] if len(attributes) == 1 else ""
        return FRAMEWORKS[name](self._project(name, double), "", weights, double, attribute)

    def _saved(self, name: str, arrays: Arrays) -> Path:
        path = Path(self._folder.name) / f"{name}.safetensors"
        save_weights(path, arrays)
        return path


def check(found: Trajectory, tolerance: float) -> Check:
    """A trajectory as a line of a report."""
    what = f"weights after {found.steps} steps"
    return Check(what, "PyTorch", "Keras", found.error, tolerance, found.tensor)

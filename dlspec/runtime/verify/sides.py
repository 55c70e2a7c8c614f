"""One adapter a framework: outputs, gradients and trained weights, by canonical names, from printed files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from dlspec.runtime.project import Project
from dlspec.weights.store import load_weights

Arrays = dict[str, Any]


class _Framework:
    """What PyTorch and Keras share: a printed project, its weights file, and the precision.

    attribute
        the name of the model in the printed `Training`, "" for all of them together; None where the spec
        trains nothing.
    """

    name = ""

    def __init__(
        self, project: Project, model_class: str, weights: Path, double: bool, attribute: str | None
    ) -> None:
        self.project, self.model_class, self.weights = project, model_class, weights
        self.double, self.attribute = double, attribute

    def training(self) -> Any:
        """A fresh `Training` with the initial weights, before its first draw."""
        training = self.project.new_training()
        self.project.weights.load(self.root(training), self.weights)
        self.start_draws()
        return training

    def root(self, training: Any) -> Any:
        """The model in a training."""
        assert self.attribute is not None
        return getattr(training, self.attribute) if self.attribute else training

    def started(self, updates: int) -> Any:
        """A fresh `Training` that will do so many updates, which its schedules count."""
        training = self.training()
        if hasattr(training, "total"):
            training.total = updates
        return training

    def model(self) -> Any:
        """A fresh model with the initial weights."""
        if self.attribute is not None:
            return self.root(self.training())
        model = getattr(self.project.model, self.model_class)()
        self.project.weights.load(model, self.weights)
        self.start_draws()
        return model

    def start_draws(self) -> None:
        """Deterministic draws begin anew."""
        if "draws" in self.project.modules:
            draws: Any = self.project.draws
            draws.drawn.clear()
            if isinstance(draws.step, int):
                draws.step = 0
            else:
                draws.step.assign(0)

    def canonical(self, root: Any) -> Arrays:
        """The weights of live models by canonical name."""
        with tempfile.TemporaryDirectory(prefix="dlspec-") as folder:
            path = Path(folder) / "weights.safetensors"
            self.project.weights.save(root, path)
            return load_weights(path)

    def cast(self, inputs: Arrays) -> Arrays:
        """Floating-point arrays in the precision of this run."""
        kind = np.float64 if self.double else np.float32
        return {
            name: array.astype(kind) if np.issubdtype(array.dtype, np.floating) else array
            for name, array in inputs.items()
        }


class Torch(_Framework):
    """PyTorch, on the CPU."""

    name = "PyTorch"

    @contextmanager
    def policy(self) -> Iterator[None]:
        """In double precision tensors without a type of their own are f64, too."""
        import torch

        before = torch.get_default_dtype()
        if self.double:
            torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(before)

    def training(self) -> Any:
        training = super().training()
        return training.double() if self.double else training

    def model(self) -> Any:
        model = super().model()
        return model.double() if self.double else model

    def tensors(self, arrays: Arrays) -> Any:
        import torch

        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in self.cast(arrays).items()}

    def outputs(self, inputs: Arrays, names: list[str]) -> Arrays:
        """The model's results in evaluation mode."""
        import torch

        with self.policy(), torch.inference_mode():
            result = self.model().eval()(*self.tensors(inputs).values())
        results = result if isinstance(result, tuple) else (result,)
        return {name: value.numpy() for name, value in zip(names, results, strict=True)}

    def gradients(self, batch: Arrays, step: str | None) -> Arrays:
        """The gradient of a step's loss by every weight; weights it does not reach have zero."""
        import torch

        with self.policy():
            if step is None:
                root = self.model().train()
                result = root(*self.tensors(batch).values())
                results = result if isinstance(result, tuple) else (result,)
                loss = sum(r.square().mean() for r in results if r.is_floating_point())
            else:
                training = self.training().train()
                root = self.root(training)
                loss = training.losses[step](self.tensors(batch))
            loss.backward()
        with torch.no_grad():
            for parameter in root.parameters():
                parameter.copy_(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)
        return self.canonical(root)

    def train(self, batches: list[Arrays]) -> Arrays:
        """The weights after one optimizer step on each batch."""
        with self.policy():
            training = self.started(len(batches)).train()
            for batch in batches:
                training.train_step(self.tensors(batch))
        return self.canonical(self.root(training))


class Keras(_Framework):
    """Keras, on TensorFlow."""

    name = "Keras"

    @contextmanager
    def policy(self) -> Iterator[None]:
        """Double precision is a setting of the whole of Keras: both of its switches, and back."""
        import keras

        before = keras.config.floatx(), keras.config.dtype_policy()
        if self.double:
            keras.config.set_floatx("float64")
            keras.config.set_dtype_policy("float64")
        try:
            yield
        finally:
            keras.config.set_floatx(before[0])
            keras.config.set_dtype_policy(before[1])

    def outputs(self, inputs: Arrays, names: list[str]) -> Arrays:
        """The model's results in inference mode."""
        with self.policy():
            result = self.model()(*self.cast(inputs).values(), training=False)
            results = result if isinstance(result, (tuple, list)) else (result,)
            return {name: np.asarray(value) for name, value in zip(names, results, strict=True)}

    def gradients(self, batch: Arrays, step: str | None) -> Arrays:
        """The gradient of a step's loss by every weight; weights it does not reach have zero."""
        import keras
        import tensorflow as tf

        with self.policy():
            arrays = {name: tf.constant(a) for name, a in self.cast(batch).items()}
            training = None if step is None else self.training()
            root = self.model() if training is None else self.root(training)
            parts = vars(root).values() if root is training else [root]
            variables = [
                v for part in parts if isinstance(part, keras.Layer) for v in part.trainable_variables
            ]
            with tf.GradientTape() as tape:
                if training is None:
                    result = root(*arrays.values(), training=True)
                    results = result if isinstance(result, (tuple, list)) else (result,)
                    floating = [r for r in results if keras.backend.is_float_dtype(r.dtype)]
                    loss = sum(keras.ops.mean(keras.ops.square(r)) for r in floating)
                else:
                    loss = training.steps[step](arrays, training=True)
            found = tape.gradient(loss, [v.value for v in variables])
            for variable, gradient in zip(variables, found, strict=True):
                dense = tf.zeros_like(variable.value) if gradient is None else tf.convert_to_tensor(gradient)
                variable.assign(dense)
            return self.canonical(root)

    def train(self, batches: list[Arrays]) -> Arrays:
        """The weights after one optimizer step on each batch."""
        with self.policy():
            training = self.started(len(batches))
            for batch in batches:
                training.train_step(self.cast(batch))
            return self.canonical(self.root(training))


FRAMEWORKS: dict[str, type[Torch] | type[Keras]] = {"torch": Torch, "keras": Keras}

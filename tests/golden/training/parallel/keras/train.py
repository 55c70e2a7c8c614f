"""Train Reader on Digits."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import ops

import checkpoints
import data
import weights
from model import Reader

BATCH_SIZE = 64
EPOCHS = 25
SEED = 0

Tensor = Any
Batch = dict[str, Tensor]


class Adam(keras.optimizers.Optimizer):
    """Adam as published: Keras' own adds epsilon before it corrects the bias."""

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        super().__init__(learning_rate)
        self.betas, self.epsilon = betas, epsilon

    def build(self, variables: list[keras.Variable]) -> None:
        super().build(variables)
        self.means = self.add_optimizer_variables(variables, "mean")
        self.squares = self.add_optimizer_variables(variables, "square")

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        index = self._get_variable_index(variable)
        mean, square = self.means[index], self.squares[index]
        beta1, beta2 = self.betas
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(square, beta2 * square + (1 - beta2) * gradient * gradient)
        # 1 - beta ** step, by expm1: in single precision a power loses most of it.
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction1 = -ops.expm1(math.log(beta1) * step) if beta1 else 1.0
        correction2 = -ops.expm1(math.log(beta2) * step) if beta2 else 1.0
        root = ops.sqrt(square / correction2) + self.epsilon
        self.assign_sub(variable, learning_rate * mean / (correction1 * root))


class AdamW(Adam):
    """Adam that takes weight decay from the weights themselves, not by the gradient."""

    def __init__(
        self,
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(learning_rate, betas, epsilon)
        self.decoupled = weight_decay

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        self.assign_sub(variable, learning_rate * self.decoupled * variable)
        super().update_step(gradient, variable, learning_rate)


class AdamWForMatrices(AdamW):
    """Biases and norms, which are vectors, do not decay."""

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        decay = self.decoupled
        self.decoupled = decay if len(variable.shape) > 1 else 0.0
        super().update_step(gradient, variable, learning_rate)
        self.decoupled = decay


def clipped(gradients: list[Tensor], most: float) -> list[Tensor]:
    """The gradients, together no longer than `most`."""
    found = [tf.convert_to_tensor(g) for g in gradients if g is not None]
    norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in found))
    scale = ops.minimum(most / (norm + 1e-6), 1.0)
    return [None if g is None else scale * tf.convert_to_tensor(g) for g in gradients]


class Training:
    """Reader learns from Digits."""

    def __init__(self, model: Reader) -> None:
        self.model = model
        self.steps = {
            "loss": Step(
                self.loss,
                [model],
                AdamWForMatrices(1.0, epsilon=1e-5, weight_decay=0.05),
            ),
        }
        self.total = 1  # updates, when training ends
        self.updates = 0
        self.measure = tf.function(self.metrics, reduce_retracing=True)

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        image, label = batch["image"], batch["label"]
        logits = self.model(image)  # [N, 10]
        loss = ops.mean(
            ops.sparse_categorical_crossentropy(label, logits, from_logits=True)
        )
        return loss

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        image, label = batch["image"], batch["label"]
        logits = self.model(image)  # [N, 10]
        loss = ops.mean(
            ops.sparse_categorical_crossentropy(label, logits, from_logits=True)
        )
        x = ops.cast(ops.argmax(logits, axis=1), "int64")  # [N]
        x = ops.equal(x, label)
        x = ops.cast(x, keras.config.floatx())
        accuracy = ops.mean(x)
        return {"loss": loss, "accuracy": accuracy}

    def set_rates(self) -> None:
        """Set the learning rates of the next update."""
        step = self.updates
        steps = self.total
        x = 3.141592653589793 * min(max(step - 40, 0.0) / (steps - 40), 1.0)
        optimizer = self.steps["loss"].optimizer
        optimizer.learning_rate = (
            0.002 * min((step + 1) / 40, 1.0) * (0.5 * (1 + math.cos(x)))
        )

    def train_step(self, batch: data.Columns) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        self.set_rates()
        losses = {name: float(s.minimize(batch)) for name, s in self.steps.items()}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise FloatingPointError(f"{name} is {loss}")
        self.updates += 1
        return losses

    def train_epoch(
        self, columns: data.Columns, seed: int, epoch: int
    ) -> dict[str, float]:
        """Update the models with every example once; gives the mean losses."""
        return means(self.train_step, data.batches(columns, BATCH_SIZE, seed, epoch))

    def evaluate(self, columns: data.Columns) -> dict[str, float]:
        """The mean metrics over all examples."""
        batches = data.batches(columns, BATCH_SIZE, shuffle=False)
        return means(self.measure, batches)

    def state(self) -> dict[str, Any]:
        """All that training changes: weights, optimizers, random numbers."""
        return {
            "variables": [
                ops.convert_to_numpy(variable) for variable in self.variables()
            ],
            "updates": self.updates,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        weights.build(self.model)
        for variable, value in zip(self.variables(), state["variables"], strict=True):
            variable.assign(value)
        self.updates = state["updates"]

    def variables(self) -> list[keras.Variable]:
        """What `state` has the values of."""
        found = [*self.model.variables]
        for step in self.steps.values():
            if not step.optimizer.built:
                step.optimizer.build(step.trained())
            found += step.optimizer.variables
        return found


class Step(keras.Layer):
    """A loss, which an optimizer minimizes over the weights of some of the models."""

    def __init__(
        self,
        loss: Callable[[Batch], Tensor],
        updates: list[keras.Model],
        optimizer: keras.optimizers.Optimizer,
    ) -> None:
        super().__init__()
        self.loss, self.updates, self.optimizer = loss, updates, optimizer
        # Compiled once: a step costs half of what `train_on_batch` does.
        # Once for each shape, whichever comes first: a resumed run computes the same.
        self.minimize = tf.function(self.update)

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        return self.loss(batch)

    def update(self, batch: Batch) -> Tensor:
        """Minimize once; gives the loss from before."""
        with tf.GradientTape() as tape:
            loss = self(batch, training=True)
        weights = self.trained()
        gradients = tape.gradient(loss, weights)
        self.optimizer.apply(clipped(gradients, 1.0), weights)
        return loss

    def trained(self) -> list[keras.Variable]:
        """The weights that it changes."""
        return [w for model in self.updates for w in model.trainable_weights]


def means(
    compute: Callable[[Any], dict[str, Any]], batches: Iterable[Any]
) -> dict[str, float]:
    """What is computed for each batch, averaged over examples."""
    sums: dict[str, Any] = {}
    total = 0
    for batch in batches:
        size = data.count(batch)
        for name, value in compute(batch).items():
            sums[name] = sums.get(name, 0) + size * value
        total += size
    return {name: float(value) / total for name, value in sums.items()}


def train(
    training: Training,
    out: Path,
    epochs: int = EPOCHS,
    seed: int = SEED,
    resume: bool = False,
) -> list[dict[str, float]]:
    """Train, print a line an epoch, and collect the results."""
    columns, held_out = data.load("train"), data.load("test")
    history: list[dict[str, float]] = []
    training.total = math.ceil(data.count(columns) / BATCH_SIZE) * epochs
    if not resume:
        checkpoints.clear(out)
    elif state := checkpoints.load(out):
        training.restore(state["training"])
        history, seed = state["history"], state["seed"]
    log = out / "metrics.jsonl"
    log.write_text("".join(json.dumps(result) + "\n" for result in history))
    for epoch in range(len(history), epochs):
        start = time.perf_counter()
        result = training.train_epoch(columns, seed, epoch)
        for name, value in training.evaluate(held_out).items():
            result["test_" + name] = value
        result["seconds"] = time.perf_counter() - start
        history.append(result)
        with log.open("a") as file:
            file.write(json.dumps(result) + "\n")
        figures = "  ".join(f"{name} {value:.4g}" for name, value in result.items())
        print(f"epoch {epoch + 1}/{epochs}  {figures}", flush=True)
        if len(history) % 5 == 0:
            state = {"training": training.state(), "history": history, "seed": seed}
            checkpoints.save(out, len(history), state)
    return history


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED, help="of all that is random")
    parser.add_argument("--weights", type=Path, help="initial weights")
    parser.add_argument("--out", type=Path, default=Path("run"), help="results")
    parser.add_argument("--resume", action="store_true", help="go on in --out")
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    training = Training(Reader())
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training.model, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed, options.resume)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training.model, options.out / "weights.safetensors")
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

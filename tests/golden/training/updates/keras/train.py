"""Train Classifier on Digits."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from keras import ops

import data
import weights
from model import Classifier

BATCH_SIZE = 32
PIECE = 16  # examples that are in memory at a time
EPOCHS = 20
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
    """Classifier learns from Digits."""

    def __init__(self, model: Classifier) -> None:
        self.model = model
        self.steps = {
            "loss": Step(self.loss, [model], AdamWForMatrices(1.0, weight_decay=0.05)),
        }
        self.averages: tuple[keras.Variable, ...] = ()
        self.follow = tf.function(self.move_averages)
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
        x = 3.141592653589793 * min(max(step - 100, 0.0) / (steps - 100), 1.0)
        optimizer = self.steps["loss"].optimizer
        optimizer.learning_rate = (
            0.005 * min((step + 1) / 100, 1.0) * (0.5 * (1 + math.cos(x)))
        )

    def average(self) -> None:
        """Let the averages of the weights follow; they begin with the first update."""
        if not self.averages:
            self.averages = tuple(
                keras.Variable(ops.copy(w.value), dtype=w.dtype)
                for w in self.averaged()
            )
        self.follow()

    def move_averages(self) -> None:
        """Move every average a little towards its weight."""
        for mean, weight in zip(self.averages, self.averaged(), strict=True):
            mean.assign_add(0.02 * (weight - mean))

    def exchange(self) -> None:
        """Swap weights and averages: between epochs, the models hold the averages."""
        for mean, weight in zip(self.averages, self.averaged(), strict=False):
            kept = ops.copy(weight.value)
            weight.assign(mean)
            mean.assign(kept)

    def averaged(self) -> list[keras.Variable]:
        """The weights that have averages."""
        models = [self.model]
        return [weight for model in models for weight in model.trainable_weights]

    def train_step(self, batch: data.Columns) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        self.set_rates()
        losses = {name: float(s.minimize(batch)) for name, s in self.steps.items()}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise FloatingPointError(f"{name} is {loss}")
        self.average()
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
        self.gradients = tf.function(self.of_piece, reduce_retracing=True)
        self.apply = tf.function(self.update)

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        return self.loss(batch)

    def minimize(self, batch: data.Columns) -> float:
        """Minimize once, by a batch in pieces; gives the loss from before."""
        loss, total = 0.0, None
        for piece, share in pieces(batch):
            part, found = self.gradients(
                piece, ops.convert_to_tensor(share, keras.config.floatx())
            )
            pairs = zip(total or found, found, strict=True)
            total = [a if b is None else a + b for a, b in pairs] if total else found
            loss += float(part)
        self.apply(total)
        return loss

    def of_piece(self, batch: Batch, share: Tensor) -> tuple[Tensor, list[Any]]:
        """The loss of a piece and its gradients, both times its share."""
        with tf.GradientTape() as tape:
            loss = share * self(batch, training=True)
        gradients = tape.gradient(loss, self.trained())
        return loss, [None if g is None else tf.convert_to_tensor(g) for g in gradients]

    def update(self, gradients: list[Any]) -> None:
        """Move the weights along the gradients."""
        self.optimizer.apply(clipped(gradients, 1.0), self.trained())

    def trained(self) -> list[keras.Variable]:
        """The weights that it changes."""
        return [w for model in self.updates for w in model.trainable_weights]


def pieces(batch: dict[str, Any]) -> Iterator[tuple[dict[str, Any], float]]:
    """A batch in pieces, and how large a part of it each is: gradients add up to its own."""
    total = data.count(batch)
    for start in range(0, total, PIECE):
        piece = {name: each[start : start + PIECE] for name, each in batch.items()}
        yield piece, data.count(piece) / total


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
    training: Training, out: Path, epochs: int = EPOCHS, seed: int = SEED
) -> list[dict[str, float]]:
    """Train, print a line an epoch, and collect the results."""
    columns, held_out = data.load("train"), data.load("test")
    history: list[dict[str, float]] = []
    training.total = math.ceil(data.count(columns) / BATCH_SIZE) * epochs
    log = out / "metrics.jsonl"
    log.write_text("")
    for epoch in range(epochs):
        start = time.perf_counter()
        training.exchange()
        result = training.train_epoch(columns, seed, epoch)
        training.exchange()
        for name, value in training.evaluate(held_out).items():
            result["test_" + name] = value
        result["seconds"] = time.perf_counter() - start
        history.append(result)
        with log.open("a") as file:
            file.write(json.dumps(result) + "\n")
        figures = "  ".join(f"{name} {value:.4g}" for name, value in result.items())
        print(f"epoch {epoch + 1}/{epochs}  {figures}", flush=True)
    return history


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED, help="of all that is random")
    parser.add_argument("--weights", type=Path, help="initial weights")
    parser.add_argument("--out", type=Path, default=Path("run"), help="results")
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    training = Training(Classifier())
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training.model, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training.model, options.out / "weights.safetensors")
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

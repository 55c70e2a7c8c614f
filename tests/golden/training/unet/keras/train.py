"""Train UNet on Scenes."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import data
import weights
from model import UNet

BATCH_SIZE = 32
EPOCHS = 12
SEED = 0
MEANS = {"loss", "accuracy"}

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


class Training:
    """UNet learns from Scenes."""

    def __init__(self, model: UNet) -> None:
        self.model = model
        self.steps = {
            "loss": Step(self.loss, [model], Adam(1.0, epsilon=1e-5)),
        }
        self.total = 1  # updates, when training ends
        self.updates = 0
        self.measure = tf.function(self.parts, reduce_retracing=True)

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        image, mask = batch["image"], batch["mask"]
        scores = self.model(image)  # [N, 4, 32, 32]
        x = ops.expand_dims(mask, axis=1)  # [N, 1, 32, 32]
        x = ops.take_along_axis(ops.log_softmax(scores, axis=1), x, axis=1)
        h = ops.softmax(scores, axis=1)
        probability = ops.reshape(h[:, 1:], (-1, 32, 32))  # [3 * N, 32, 32]
        h = ops.one_hot(mask, 4, dtype=keras.config.floatx())  # [N, 32, 32, 4]
        h = ops.transpose(h[:, :, :, 1:], (0, 3, 1, 2))  # [N, 3, 32, 32]
        truth = ops.reshape(h, (-1, 32, 32))  # [3 * N, 32, 32]
        p = ops.reshape(probability, (-1, 1024))  # [3 * N, 1024]
        t = ops.reshape(ops.cast(truth, keras.config.floatx()), (-1, 1024))
        h = ops.sum(p, axis=1) + ops.sum(t, axis=1) + 1.0  # [3 * N]
        x = ops.mean(-ops.squeeze(x, axis=1))
        h = ops.mean(1 - (2 * ops.sum(p * t, axis=1) + 1.0) / h)
        return x + h

    def parts(self, batch: Batch) -> Batch:
        """What a batch gives to the metrics over all examples."""
        image, mask = batch["image"], batch["mask"]
        scores = self.model(image)  # [N, 4, 32, 32]
        x = ops.expand_dims(mask, axis=1)  # [N, 1, 32, 32]
        x = ops.take_along_axis(ops.log_softmax(scores, axis=1), x, axis=1)
        h = ops.softmax(scores, axis=1)
        probability = ops.reshape(h[:, 1:], (-1, 32, 32))  # [3 * N, 32, 32]
        h = ops.one_hot(mask, 4, dtype=keras.config.floatx())  # [N, 32, 32, 4]
        h = ops.transpose(h[:, :, :, 1:], (0, 3, 1, 2))  # [N, 3, 32, 32]
        truth = ops.reshape(h, (-1, 32, 32))  # [3 * N, 32, 32]
        p = ops.reshape(probability, (-1, 1024))  # [3 * N, 1024]
        t = ops.reshape(ops.cast(truth, keras.config.floatx()), (-1, 1024))
        h = ops.sum(p, axis=1) + ops.sum(t, axis=1) + 1.0  # [3 * N]
        x = ops.mean(-ops.squeeze(x, axis=1))
        h = ops.mean(1 - (2 * ops.sum(p * t, axis=1) + 1.0) / h)
        loss = x + h
        x = ops.cast(ops.argmax(scores, axis=1), "int64")  # [N, 32, 32]
        x = ops.equal(x, mask)
        x = ops.cast(x, keras.config.floatx())
        accuracy = ops.mean(x)
        x = ops.cast(ops.argmax(scores, axis=1), "int64")  # [N, 32, 32]
        guess = ops.reshape(x, (-1,))  # [1024 * N]
        mean_iou_hits_truth = ops.reshape(mask, (-1,))  # [1024 * N]
        x = mean_iou_hits_truth[:, None]  # [1024 * N, 1]
        x = ops.equal(x, ops.arange(4, dtype="int64"))  # [1024 * N, 4]
        known = ops.cast(x, keras.config.floatx())
        x = ops.transpose(known)  # [4, 1024 * N]
        h = ops.one_hot(guess, 4, dtype=keras.config.floatx())  # [1024 * N, 4]
        x = ops.matmul(x, h)  # [4, 4]
        return {"loss": loss, "accuracy": accuracy, "table": x}

    def set_rates(self) -> None:
        """Set the learning rates of the next update."""
        step = self.updates
        steps = self.total
        x = 3.141592653589793 * min(max(step, 0.0) / steps, 1.0)
        optimizer = self.steps["loss"].optimizer
        optimizer.learning_rate = 0.005 * (0.5 * (1 + math.cos(x)))

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

    def evaluate(self, columns: data.Columns) -> dict[str, Any]:
        """The metrics over all examples."""
        batches = data.batches(columns, BATCH_SIZE, shuffle=False)
        return metrics(over_all(self.measure, batches))


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
        self.minimize = tf.function(self.update, reduce_retracing=True)

    def call(self, batch: Batch, training: bool = False) -> Tensor:
        return self.loss(batch)

    def update(self, batch: Batch) -> Tensor:
        """Minimize once; gives the loss from before."""
        with tf.GradientTape() as tape:
            loss = self(batch, training=True)
        weights = self.trained()
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return loss

    def trained(self) -> list[keras.Variable]:
        """The weights that it changes."""
        return [w for model in self.updates for w in model.trainable_weights]


def over_all(
    compute: Callable[[Any], dict[str, Any]], batches: Iterable[Any]
) -> dict[str, Any]:
    """What is computed for each batch, over all: means or sums."""
    sums: dict[str, Any] = {}
    total = 0
    for batch in batches:
        size = data.count(batch)
        total += size
        for name, value in compute(batch).items():
            array = np.asarray(value)
            weight = size if name in MEANS else 1
            sums[name] = sums.get(name, np.float64()) + weight * array
    for name in MEANS:
        sums[name] /= total
    return sums


def metrics(parts: dict[str, Any]) -> dict[str, Any]:
    """The metrics, from their parts over all examples."""
    table = parts["table"]
    shared = np.sum(table * np.eye(4, 4, dtype=np.float32), (1,))  # [4]
    x = np.sum(table, (0,)) + np.sum(table, (1,))  # [4]
    either = x - shared
    h = np.sum((either > 0).astype(np.float32), (0,))
    y = np.sum(shared / np.maximum(either, 1), (0,))
    iou = y / np.maximum(h, 1)
    dice = np.mean(2 * shared / np.maximum(x, 1), (0,))
    return {
        "loss": float(parts["loss"]),
        "accuracy": float(parts["accuracy"]),
        "iou": float(iou),
        "dice": float(dice),
    }


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
        result = training.train_epoch(columns, seed, epoch)
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
    training = Training(UNet())
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

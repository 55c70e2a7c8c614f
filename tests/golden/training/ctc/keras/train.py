"""Train Listener on Utterances."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import data
import weights
from model import Listener

BATCH_SIZE = 32
EPOCHS = 10
SEED = 0
MEANS = {"loss"}
ROWS = {"said", "label_error_heard", "truth", "known"}
# Steps of one compiled call: the call itself takes longer than a small step.
STEPS = 11

Tensor = Any
Batch = dict[str, Tensor]


def edit_distance(
    guess: np.ndarray, truth: np.ndarray, counts: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """The edits that make each row of `guess` that of `truth`, where both count."""
    distances = []
    found, wanted = map(np.extract, counts, guess), map(np.extract, known, truth)
    for symbols, labels in zip(found, wanted, strict=True):
        steps = np.arange(len(labels) + 1)
        row = steps
        for symbol in symbols:
            best = np.minimum(row[1:] + 1, row[:-1] + (labels != symbol))
            best = np.concatenate([row[:1] + 1, best])
            row = np.minimum.accumulate(best - steps) + steps
        distances.append(row[-1])
    return np.array(distances)


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
    """Listener learns from Utterances."""

    def __init__(self, model: Listener) -> None:
        self.model = model
        self.steps = {
            "loss": Step(self.loss, [model], Adam(0.005, epsilon=1e-5)),
        }
        self.block = tf.function(self.steps_of_block, reduce_retracing=True)
        self.measure = tf.function(self.parts, reduce_retracing=True)

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        speech, frames, digits, count = (
            batch["speech"],
            batch["frames"],
            batch["digits"],
            batch["count"],
        )
        logits, _ = self.model(speech, frames)
        x = ops.ctc_loss(ops.add(digits, 1), logits, count, frames)
        return ops.mean(x)

    def parts(self, batch: Batch) -> Batch:
        """What a batch gives to the metrics over all examples."""
        speech, frames, digits, count = (
            batch["speech"],
            batch["frames"],
            batch["digits"],
            batch["count"],
        )
        logits, _ = self.model(speech, frames)
        x = ops.add(digits, 1)
        h = ops.ctc_loss(x, logits, count, frames)
        loss = ops.mean(h)
        symbol = ops.cast(ops.argmax(logits, axis=2), "int64")  # [N, 56]
        h = ops.equal(symbol[:, :1], -1)  # [N, 1]
        y = ops.equal(symbol[:, 1:], symbol[:, :55])  # [N, 55]
        repeated = ops.concatenate([h, y], axis=1)  # [N, 56]
        h = ops.not_equal(symbol, 0)
        counts = ops.logical_and(h, ops.logical_not(repeated))
        h = ops.less(ops.arange(56, dtype="int64"), frames[:, None])  # [N, 56]
        h = ops.logical_and(counts, h)
        y = ops.less(ops.arange(4, dtype="int64"), count[:, None])  # [N, 4]
        return {
            "loss": loss,
            "said": symbol,
            "label_error_heard": h,
            "truth": x,
            "known": y,
        }

    def steps_of_block(self, batches: Batch) -> Batch:
        """A step on each batch in turn; gives the losses from before each."""

        def step(batch: Batch) -> Batch:
            return {name: each.update(batch) for name, each in self.steps.items()}

        losses = dict.fromkeys(self.steps, keras.config.floatx())
        return tf.map_fn(
            step, batches, parallel_iterations=1, fn_output_signature=losses
        )

    def train_step(self, batch: data.Columns) -> dict[str, float]:
        """Update the models once for every BATCH_SIZE examples; gives the mean losses."""
        size = min(BATCH_SIZE, data.count(batch))
        block = {name: a.reshape(-1, size, *a.shape[1:]) for name, a in batch.items()}
        found = self.block(block)
        losses = {name: float(ops.mean(each)) for name, each in found.items()}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise FloatingPointError(f"{name} is {loss}")
        return losses

    def train_epoch(
        self, columns: data.Columns, seed: int, epoch: int
    ) -> dict[str, float]:
        """Update the models with every example once; gives the mean losses."""
        batches = data.batches(columns, BATCH_SIZE, seed, epoch)
        return means(self.train_step, blocks(batches))

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
    """What is computed for each batch, over all: means or rows."""
    sums: dict[str, Any] = {}
    rows: dict[str, list[np.ndarray]] = {}
    total = 0
    for batch in batches:
        size = data.count(batch)
        total += size
        for name, value in compute(batch).items():
            array = np.asarray(value)
            if name in ROWS:
                rows.setdefault(name, []).append(array)
                continue
            weight = size if name in MEANS else 1
            sums[name] = sums.get(name, np.float64()) + weight * array
    for name in MEANS:
        sums[name] /= total
    return sums | {name: np.concatenate(values) for name, values in rows.items()}


def metrics(parts: dict[str, Any]) -> dict[str, Any]:
    """The metrics, from their parts over all examples."""
    said = parts["said"]
    label_error_heard = parts["label_error_heard"]
    truth = parts["truth"]
    known = parts["known"]
    x = edit_distance(said, truth, label_error_heard, known)  # [N]
    h = np.sum(known.astype(np.float32), (0, 1))
    return {"loss": float(parts["loss"]), "label_error": float(np.sum(x, (0,)) / h)}


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


def blocks(batches: Iterable[data.Columns]) -> Iterator[data.Columns]:
    """Up to STEPS batches as one; a small one comes alone."""
    for _, alike in itertools.groupby(batches, data.count):
        while block := list(itertools.islice(alike, STEPS)):
            yield {name: np.concatenate([b[name] for b in block]) for name in block[0]}


def train(
    training: Training, out: Path, epochs: int = EPOCHS, seed: int = SEED
) -> list[dict[str, float]]:
    """Train, print a line an epoch, and collect the results."""
    columns, held_out = data.load("train"), data.load("val")
    history: list[dict[str, float]] = []
    log = out / "metrics.jsonl"
    log.write_text("")
    for epoch in range(epochs):
        start = time.perf_counter()
        result = training.train_epoch(columns, seed, epoch)
        for name, value in training.evaluate(held_out).items():
            result["val_" + name] = value
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
    training = Training(Listener())
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

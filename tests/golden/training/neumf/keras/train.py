"""Train NeuMF on Ratings."""

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
from model import NeuMF

BATCH_SIZE = 64
EPOCHS = 15
SEED = 0
# Steps of one compiled call: the call itself takes longer than a small step.
STEPS = 20

Tensor = Any
Batch = dict[str, Tensor]


def topk(x, k: int, axis: int):
    """The k greatest elements in falling order, and where they are."""
    values, index = ops.top_k(ops.moveaxis(x, axis, -1), k)
    index = ops.cast(index, "int64")
    return ops.moveaxis(values, -1, axis), ops.moveaxis(index, -1, axis)


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
        gradient = tf.convert_to_tensor(gradient)  # of an embedding it is some rows
        self.assign(mean, beta1 * mean + (1 - beta1) * gradient)
        self.assign(square, beta2 * square + (1 - beta2) * gradient * gradient)
        # 1 - beta ** step, by expm1: in single precision a power loses most of it.
        step = ops.cast(self.iterations + 1, variable.dtype)
        correction1 = -ops.expm1(math.log(beta1) * step) if beta1 else 1.0
        correction2 = -ops.expm1(math.log(beta2) * step) if beta2 else 1.0
        root = ops.sqrt(square / correction2) + self.epsilon
        self.assign_sub(variable, learning_rate * mean / (correction1 * root))


class Training:
    """Recall@10: how often what was taken is among the ten best of the 100
    candidates.
    """

    def __init__(self, net: NeuMF) -> None:
        self.net = net
        self.steps = {
            "loss": Step(self.loss, [net], Adam(0.002)),
        }
        self.block = tf.function(self.steps_of_block, reduce_retracing=True)
        self.measure = tf.function(self.metrics, reduce_retracing=True)

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of net."""
        user, candidates = batch["user"], batch["candidates"]
        N = ops.shape(user)[0]
        x = candidates[:, :5]  # [N, 5]
        logits = self.net(user, x)
        taken = ops.broadcast_to(ops.eye(1, 5, dtype=keras.config.floatx()), (N, 5))
        return ops.mean(ops.softplus(logits) - logits * taken)

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        user, candidates, log_frequency = (
            batch["user"],
            batch["candidates"],
            batch["log_frequency"],
        )
        N = ops.shape(user)[0]
        x = self.net(user, candidates)
        _, x = topk(x, 10, 1)
        h = ops.expand_dims(ops.zeros((N,), dtype="int64"), axis=1)  # [N, 1]
        x = ops.equal(x, h)
        x = ops.any(x, axis=1)  # [N]
        x = ops.cast(x, keras.config.floatx())
        recall = ops.mean(x)
        _, x = topk(log_frequency, 10, 1)
        h = ops.expand_dims(ops.zeros((N,), dtype="int64"), axis=1)  # [N, 1]
        x = ops.equal(x, h)
        x = ops.any(x, axis=1)  # [N]
        x = ops.cast(x, keras.config.floatx())
        popular = ops.mean(x)
        return {"recall": recall, "popular": popular}

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
    training = Training(NeuMF())
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training.net, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training.net, options.out / "weights.safetensors")
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

"""Train DQN on CartPole."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import data
import weights
from model import QNetwork

BATCH_SIZE = 64
MAX_STEPS = 25000
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


class Training:
    """DQN learns from CartPole."""

    def __init__(self, Q: QNetwork, Target: QNetwork) -> None:
        self.Q = Q
        self.Target = Target
        self.steps = {
            "loss": Step(self.loss, [Q], Adam(0.002)),
        }
        self.updates = 0
        for model in (self.Q, self.Target):
            weights.build(model)
        self.Target.set_weights(self.Q.get_weights())
        self.choose = tf.function(self.policy, reduce_retracing=True)

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of Q."""
        state, action, reward, next_state, terminal = (
            batch["state"],
            batch["action"],
            batch["reward"],
            batch["next_state"],
            batch["terminal"],
        )
        x = self.Q(state)  # [N, 2]
        x = ops.take_along_axis(x, action[:, None], axis=1)  # [N, 1]
        expected = x[:, 0]  # [N]
        x = self.Target(next_state)  # [N, 2]
        came = reward + 0.99 * (1 - terminal) * ops.max(x, axis=1)
        x = expected - ops.stop_gradient(came)
        h = ops.abs(x)
        h = ops.where(h < 1.0, x * x * 0.5, (h - 0.5) * 1.0)
        return ops.mean(h)

    def policy(self, batch: Batch) -> Tensor:
        """The best actions by now, in states."""
        state = batch["state"]
        x = self.Q(state)  # [N, 2]
        return ops.cast(ops.argmax(x, axis=1), "int64")

    def train_step(self, batch: data.Columns) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        if self.updates % 50 == 0:
            self.Target.set_weights(self.Q.get_weights())
        losses = {name: float(s.minimize(batch)) for name, s in self.steps.items()}
        for name, loss in losses.items():
            if not math.isfinite(loss):
                raise FloatingPointError(f"{name} is {loss}")
        self.updates += 1
        return losses

    def act(self, state: np.ndarray) -> int:
        """The best action by now."""
        return int(self.choose({"state": state[None]})[0])

    def learn(self, columns: data.Columns) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        return self.train_step(columns)


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


def train(
    training: Training, out: Path, steps: int = MAX_STEPS, seed: int = SEED
) -> list[dict[str, float]]:
    """Play and learn from what happened, print a line every 1000 steps, and collect the results."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    world, replay = data.make(), data.Replay()
    world.action_space.seed(seed)
    state, _ = world.reset(seed=seed)
    history: list[dict[str, float]] = []
    returns: list[float] = [0.0]
    losses: list[float] = []
    log = out / "metrics.jsonl"
    log.write_text("")
    start = time.perf_counter()
    for step in range(1, steps + 1):
        if rng.random() < data.exploring(step):
            action = world.action_space.sample()
        else:
            action = training.act(state)
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
        state = next_state
        returns[-1] += float(reward)
        if terminal or stopped:
            state, _ = world.reset()
            returns.append(0.0)
        if step > data.START and step % data.EVERY == 0:
            losses.append(sum(training.learn(replay.sample(BATCH_SIZE, rng)).values()))
        if step % 1000 == 0 or step == steps:
            result = {
                "steps": step,
                "return": float(np.mean(returns[-21:-1] or returns)),
            }
            if losses:
                result["loss"] = float(np.mean(losses))
                losses = []
            result["seconds"] = time.perf_counter() - start
            figures = "  ".join(f"{name} {value:.4g}" for name, value in result.items())
            print(figures, flush=True)
            history.append(result)
            with log.open("a") as file:
                file.write(json.dumps(result) + "\n")
    return history


def evaluate(
    training: Training, episodes: int = 100, seed: int = SEED
) -> dict[str, float]:
    """The mean return of episodes in which every action is the best one."""
    world, total = data.make(), 0.0
    state, _ = world.reset(seed=seed + 1)
    for _ in range(episodes):
        over = False
        while not over:
            state, reward, terminal, stopped, _ = world.step(training.act(state))
            total += float(reward)
            over = terminal or stopped
        state, _ = world.reset()
    return {"return": total / episodes}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=MAX_STEPS)
    parser.add_argument("--seed", type=int, default=SEED, help="of all that is random")
    parser.add_argument("--weights", type=Path, help="initial weights")
    parser.add_argument("--out", type=Path, default=Path("run"), help="results")
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    training = Training(QNetwork(), QNetwork())
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.steps, options.seed)
    results = {"play": evaluate(training)}
    weights.save(training, options.out / "weights.safetensors")
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

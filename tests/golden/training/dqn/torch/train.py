"""Train DQN on CartPole."""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import data
import weights
from model import QNetwork

BATCH_SIZE = 64
MAX_STEPS = 25000
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


class Training(nn.Module):
    """DQN learns from CartPole."""

    def __init__(self, Q: QNetwork, Target: QNetwork) -> None:
        super().__init__()
        self.Q = Q
        self.Target = Target
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.Adam(Q.parameters(), lr=0.002, fused=True),
        }
        self.updates = 0
        self.Target.load_state_dict(self.Q.state_dict())

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
        x = torch.gather(x, 1, action[:, None])  # [N, 1]
        expected = x[:, 0]  # [N]
        x = self.Target(next_state)  # [N, 2]
        came = reward + 0.99 * (1 - terminal) * x.amax(dim=1)
        return F.huber_loss(expected, came.detach())

    def policy(self, batch: Batch) -> Tensor:
        """The best actions by now, in states."""
        state = batch["state"]
        x = self.Q(state)  # [N, 2]
        return x.argmax(dim=1)

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        if self.updates % 50 == 0:
            self.Target.load_state_dict(self.Q.state_dict())
        losses: dict[str, float] = {}
        for name, optimizer in self.optimizers.items():
            optimizer.zero_grad()
            loss = self.losses[name](batch)
            losses[name] = loss.item()
            if not math.isfinite(losses[name]):
                raise FloatingPointError(f"{name} is {losses[name]}")
            loss.backward()
            optimizer.step()
        self.updates += 1
        return losses

    @torch.inference_mode()
    def act(self, state: np.ndarray) -> int:
        """The best action by now."""
        return int(self.policy(self.tensors({"state": state[None]}))[0])

    def learn(self, columns: data.Columns) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        return self.train_step(self.tensors(columns))

    def tensors(self, batch: data.Columns) -> Batch:
        """A batch of arrays as tensors, where the models are."""
        return {name: torch.from_numpy(a).to(DEVICE) for name, a in batch.items()}


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

    torch.manual_seed(options.seed)
    training = Training(QNetwork(), QNetwork()).to(DEVICE)
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

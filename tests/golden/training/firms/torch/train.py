"""Train Investment on Firms."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import data
import weights
from model import Investment

BATCH_SIZE = 16
EPOCHS = 100
SEED = 0
MEANS = {"loss"}
ROWS = {"targets"}

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


def in_groups(
    parameters: Iterable[nn.Parameter], *groups: dict[str, Any]
) -> list[dict[str, Any]]:
    """Groups for an optimizer, of modules and parameters; the first one has what is in no other."""
    for group in groups:
        parts = [
            p.parameters() if isinstance(p, nn.Module) else [p] for p in group["params"]
        ]
        group["params"] = [parameter for part in parts for parameter in part]
    grouped = {id(p) for group in groups for p in group["params"]}
    return [{"params": [p for p in parameters if id(p) not in grouped]}, *groups]


class Training(nn.Module):
    """Investment learns from Firms."""

    def __init__(self, model: Investment) -> None:
        super().__init__()
        self.model = model
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.AdamW(
                in_groups(
                    model.parameters(),
                    {"params": [model.deep], "lr": 1.0, "weight_decay": 0.1},
                ),
                lr=1.0,
                eps=1e-5,
                fused=True,
            ),
        }
        self.total = 1  # updates, when training ends
        self.updates = 0

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        firm, value, capital, year, invest = (
            batch["firm"],
            batch["value"],
            batch["capital"],
            batch["year"],
            batch["invest"],
        )
        invested = self.model(firm, value, capital, year)
        return F.mse_loss(invested, invest)

    def parts(self, batch: Batch) -> Batch:
        """What a batch gives to the metrics over all examples."""
        firm, value, capital, year, invest = (
            batch["firm"],
            batch["value"],
            batch["capital"],
            batch["year"],
            batch["invest"],
        )
        N = firm.shape[0]
        invested = self.model(firm, value, capital, year)
        loss = F.mse_loss(invested, invest)
        x = (invested - invest).square()
        x = x.mean() * N
        return {
            "loss": loss,
            "examples": torch.tensor(N, dtype=torch.float32),
            "squares": x,
            "targets": invest,
        }

    def set_rates(self) -> None:
        """Set the learning rates of the next update."""
        step = self.updates
        steps = self.total
        x = 3.141592653589793 * min(max(step, 0.0) / steps, 1.0)
        for group in self.optimizers["loss"].param_groups:
            group["lr"] = 0.01 * (0.5 * (1 + math.cos(x)))
        x = 3.141592653589793 * min(max(step, 0.0) / steps, 1.0)
        self.optimizers["loss"].param_groups[1]["lr"] = 0.003 * (
            0.5 * (1 + math.cos(x))
        )

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        self.set_rates()
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

    def train_epoch(
        self, columns: data.Columns, seed: int, epoch: int
    ) -> dict[str, float]:
        """Update the models with every example once; gives the mean losses."""
        batches = data.batches(columns, BATCH_SIZE, seed, epoch)
        return means(self.train_step, map(self.tensors, batches))

    @torch.inference_mode()
    def evaluate(self, columns: data.Columns) -> dict[str, Any]:
        """The metrics over all examples."""
        self.eval()
        batches = data.batches(columns, BATCH_SIZE, shuffle=False)
        result = metrics(over_all(self.parts, map(self.tensors, batches)))
        self.train()
        return result

    def tensors(self, batch: data.Columns) -> Batch:
        """A batch of arrays as tensors, where the models are."""
        return {name: torch.from_numpy(a).to(DEVICE) for name, a in batch.items()}


def over_all(
    compute: Callable[[Any], dict[str, Any]], batches: Iterable[Any]
) -> dict[str, Any]:
    """What is computed for each batch, over all: means or sums or rows."""
    sums: dict[str, Any] = {}
    rows: dict[str, list[np.ndarray]] = {}
    total = 0
    for batch in batches:
        size = data.count(batch)
        total += size
        for name, value in compute(batch).items():
            array = value.cpu().numpy()
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
    examples = parts["examples"]
    squares = parts["squares"]
    targets = parts["targets"]
    truth = targets.astype(np.float64)
    x = np.square(truth - np.mean(truth, (0,)))
    return {
        "loss": float(parts["loss"]),
        "r2": float(1 - squares / examples / np.mean(x, (0,))),
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

    torch.manual_seed(options.seed)
    training = Training(Investment()).to(DEVICE)
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training.model, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training.model, options.out / "weights.safetensors")
    names = json.dumps(data.categories(), indent=2)
    (options.out / "categories.json").write_text(names)
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

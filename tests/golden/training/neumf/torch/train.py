"""Train NeuMF on Ratings."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import data
import weights
from model import NeuMF

BATCH_SIZE = 64
EPOCHS = 15
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


def topk(x: Tensor, k: int, dim: int) -> tuple[Tensor, Tensor]:
    """The k greatest elements in falling order and where they are; ties: the first."""
    values, index = torch.sort(x, dim=dim, descending=True, stable=True)
    return values.narrow(dim, 0, k), index.narrow(dim, 0, k)


class Training(nn.Module):
    """Recall@10: how often what was taken is among the ten best of the 100
    candidates.
    """

    def __init__(self, net: NeuMF) -> None:
        super().__init__()
        self.net = net
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.Adam(net.parameters(), lr=0.002, fused=True),
        }

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of net."""
        user, candidates = batch["user"], batch["candidates"]
        N = user.shape[0]
        x = candidates[:, :5]  # [N, 5]
        logits = self.net(user, x)
        x = torch.eye(1, 5, dtype=torch.float32, device=user.device)  # [1, 5]
        taken = x.expand(N, 5)  # [N, 5]
        return F.binary_cross_entropy_with_logits(logits, taken)

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        user, candidates, log_frequency = (
            batch["user"],
            batch["candidates"],
            batch["log_frequency"],
        )
        N = user.shape[0]
        x = self.net(user, candidates)
        _, x = topk(x, 10, dim=1)
        h = torch.zeros((N,), dtype=torch.int64, device=user.device)  # [N]
        x = x == h.unsqueeze(1)
        x = x.any(dim=1).to(torch.float32)  # [N]
        recall = x.mean()
        _, x = topk(log_frequency, 10, dim=1)
        h = torch.zeros((N,), dtype=torch.int64, device=user.device)  # [N]
        x = x == h.unsqueeze(1)
        x = x.any(dim=1).to(torch.float32)  # [N]
        popular = x.mean()
        return {"recall": recall, "popular": popular}

    def train_step(self, batch: Batch) -> dict[str, float]:
        """Update the models once; gives the losses from before."""
        losses: dict[str, float] = {}
        for name, optimizer in self.optimizers.items():
            optimizer.zero_grad()
            loss = self.losses[name](batch)
            losses[name] = loss.item()
            if not math.isfinite(losses[name]):
                raise FloatingPointError(f"{name} is {losses[name]}")
            loss.backward()
            optimizer.step()
        return losses

    def train_epoch(
        self, columns: data.Columns, seed: int, epoch: int
    ) -> dict[str, float]:
        """Update the models with every example once; gives the mean losses."""
        batches = data.batches(columns, BATCH_SIZE, seed, epoch)
        return means(self.train_step, map(self.tensors, batches))

    @torch.inference_mode()
    def evaluate(self, columns: data.Columns) -> dict[str, float]:
        """The mean metrics over all examples."""
        self.eval()
        batches = data.batches(columns, BATCH_SIZE, shuffle=False)
        result = means(self.metrics, map(self.tensors, batches))
        self.train()
        return result

    def tensors(self, batch: data.Columns) -> Batch:
        """A batch of arrays as tensors, where the models are."""
        return {name: torch.from_numpy(a).to(DEVICE) for name, a in batch.items()}


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

    torch.manual_seed(options.seed)
    training = Training(NeuMF()).to(DEVICE)
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

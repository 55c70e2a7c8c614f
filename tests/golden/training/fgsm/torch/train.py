"""Train Robustness on Digits."""

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
from model import Classifier

BATCH_SIZE = 32
EPOCHS = 40
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


class Training(nn.Module):
    """Robustness learns from Digits."""

    def __init__(self, plain: Classifier, robust: Classifier) -> None:
        super().__init__()
        self.plain = plain
        self.robust = robust
        self.losses = {"plainly": self.plainly_loss, "robustly": self.robustly_loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "plainly": torch.optim.Adam(plain.parameters(), lr=0.001, fused=True),
            "robustly": torch.optim.Adam(robust.parameters(), lr=0.001, fused=True),
        }

    def plainly_loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of plain."""
        image, label = batch["image"], batch["label"]
        x = self.plain(image)  # [N, 10]
        return F.cross_entropy(x, label)

    def robustly_loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of robust."""
        image, label = batch["image"], batch["label"]
        image1 = image.detach().requires_grad_()
        x = self.robust(image1)  # [N, 10]
        loss = F.cross_entropy(x, label)
        x = torch.autograd.grad(loss, image1, create_graph=True)[0]
        attack = (image + 0.12 * x.sign()).clamp(min=0, max=1).detach()
        x = self.robust(attack)  # [N, 10]
        return (loss + F.cross_entropy(x, label)) / 2

    @torch.enable_grad()
    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        image, label = batch["image"], batch["label"]
        image1 = image.detach().requires_grad_()
        x = self.plain(image1)  # [N, 10]
        x = x.argmax(dim=1) == label
        plain = x.to(torch.float32).mean()
        x = self.plain(image1)  # [N, 10]
        x = F.cross_entropy(x, label)
        image2 = image.detach().requires_grad_()
        x = torch.autograd.grad(x, image1, create_graph=True)[0]
        x = self.plain((image2 + 0.12 * x.sign()).clamp(min=0, max=1))  # [N, 10]
        x = x.argmax(dim=1) == label
        plain_attacked = x.to(torch.float32).mean()
        x = self.robust(image2)  # [N, 10]
        x = x.argmax(dim=1) == label
        robust = x.to(torch.float32).mean()
        x = self.robust(image2)  # [N, 10]
        x = F.cross_entropy(x, label)
        x = torch.autograd.grad(x, image2, create_graph=True)[0]
        x = self.robust((image + 0.12 * x.sign()).clamp(min=0, max=1))  # [N, 10]
        x = x.argmax(dim=1) == label
        robust_attacked = x.to(torch.float32).mean()
        return {
            "plain": plain,
            "plain_attacked": plain_attacked,
            "robust": robust,
            "robust_attacked": robust_attacked,
        }

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

    @torch.no_grad()
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
    columns, held_out = data.load("train"), data.load("test")
    history: list[dict[str, float]] = []
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
    training = Training(Classifier(), Classifier()).to(DEVICE)
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training, options.out / "weights.safetensors")
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

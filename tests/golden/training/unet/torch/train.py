"""Train UNet on Scenes."""

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
from model import UNet

BATCH_SIZE = 32
EPOCHS = 12
SEED = 0
MEANS = {"loss", "accuracy"}

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


class Training(nn.Module):
    """UNet learns from Scenes."""

    def __init__(self, model: UNet) -> None:
        super().__init__()
        self.model = model
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.Adam(model.parameters(), lr=1.0, eps=1e-5, fused=True),
        }
        self.total = 1  # updates, when training ends
        self.updates = 0

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        image, mask = batch["image"], batch["mask"]
        scores = self.model(image)  # [N, 4, 32, 32]
        x = F.softmax(scores, dim=1)
        probability = x[:, 1:].reshape(-1, 32, 32)  # [3 * N, 32, 32]
        x = F.one_hot(mask, 4).to(torch.float32)  # [N, 32, 32, 4]
        x = x[:, :, :, 1:].permute(0, 3, 1, 2)  # [N, 3, 32, 32]
        truth = x.reshape(-1, 32, 32)  # [3 * N, 32, 32]
        p = probability.flatten(1)  # [3 * N, 1024]
        x = truth.to(torch.float32)
        t = x.flatten(1)  # [3 * N, 1024]
        x = (2 * (p * t).sum(dim=1) + 1.0) / (p.sum(dim=1) + t.sum(dim=1) + 1.0)
        return F.cross_entropy(scores, mask) + (1 - x).mean()

    def parts(self, batch: Batch) -> Batch:
        """What a batch gives to the metrics over all examples."""
        image, mask = batch["image"], batch["mask"]
        scores = self.model(image)  # [N, 4, 32, 32]
        x = F.softmax(scores, dim=1)
        probability = x[:, 1:].reshape(-1, 32, 32)  # [3 * N, 32, 32]
        x = F.one_hot(mask, 4).to(torch.float32)  # [N, 32, 32, 4]
        x = x[:, :, :, 1:].permute(0, 3, 1, 2)  # [N, 3, 32, 32]
        truth = x.reshape(-1, 32, 32)  # [3 * N, 32, 32]
        p = probability.flatten(1)  # [3 * N, 1024]
        x = truth.to(torch.float32)
        t = x.flatten(1)  # [3 * N, 1024]
        x = (2 * (p * t).sum(dim=1) + 1.0) / (p.sum(dim=1) + t.sum(dim=1) + 1.0)
        loss = F.cross_entropy(scores, mask) + (1 - x).mean()
        x = scores.argmax(dim=1) == mask
        accuracy = x.to(torch.float32).mean()
        guess = scores.argmax(dim=1).flatten(0)  # [1024 * N]
        mean_iou_hits_truth = mask.flatten(0)  # [1024 * N]
        x = mean_iou_hits_truth[:, None] == torch.arange(4, device=image.device)
        known = x.to(torch.float32)
        x = known.T @ F.one_hot(guess, 4).to(torch.float32)  # [4, 4]
        return {"loss": loss, "accuracy": accuracy, "table": x}

    def set_rates(self) -> None:
        """Set the learning rates of the next update."""
        step = self.updates
        steps = self.total
        x = 3.141592653589793 * min(max(step, 0.0) / steps, 1.0)
        for group in self.optimizers["loss"].param_groups:
            group["lr"] = 0.005 * (0.5 * (1 + math.cos(x)))

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
    """What is computed for each batch, over all: means or sums."""
    sums: dict[str, Any] = {}
    total = 0
    for batch in batches:
        size = data.count(batch)
        total += size
        for name, value in compute(batch).items():
            array = value.cpu().numpy()
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

    torch.manual_seed(options.seed)
    training = Training(UNet()).to(DEVICE)
    # Channels-last: 2-D convolutions are quicker so.
    training.to(memory_format=torch.channels_last)
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

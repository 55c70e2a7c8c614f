"""Train Answerer on Sums."""

from __future__ import annotations

import argparse
import itertools
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
from model import Answerer

BATCH_SIZE = 128
MAX_STEPS = 2000
EPOCHS = MAX_STEPS  # or fewer: an epoch has at least one step
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


class Training(nn.Module):
    """Answerer learns from Sums."""

    def __init__(self, model: Answerer) -> None:
        super().__init__()
        self.model = model
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.Adam(model.parameters(), lr=1.0, fused=True),
        }
        self.total = 1  # updates, when training ends
        self.updates = 0

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        asked, sofar, answer = batch["asked"], batch["sofar"], batch["answer"]
        logits = self.model(asked, sofar)  # [N, 4, 48]
        return F.cross_entropy(logits.flatten(0, -2), answer.flatten())

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        asked, sofar, answer = batch["asked"], batch["sofar"], batch["answer"]
        logits = self.model(asked, sofar)  # [N, 4, 48]
        loss = F.cross_entropy(logits.flatten(0, -2), answer.flatten())
        x = logits.argmax(dim=2) == answer
        x = x.all(dim=1).to(torch.float32)  # [N]
        exact = x.mean()
        return {"loss": loss, "exact": exact}

    def set_rates(self) -> None:
        """Set the learning rates of the next update."""
        step = self.updates
        steps = self.total
        x = 3.141592653589793 * min(max(step - 200, 0.0) / (steps - 200), 1.0)
        for group in self.optimizers["loss"].param_groups:
            group["lr"] = 0.001 * min((step + 1) / 200, 1.0) * (0.5 * (1 + math.cos(x)))

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
        """Update the models with an epoch, or what is left of it; gives the mean losses."""
        batches = itertools.islice(
            data.batches(columns, BATCH_SIZE, seed, epoch),
            MAX_STEPS - epoch * steps_of_epoch(columns),
        )
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


def steps_of_epoch(columns: data.Columns) -> int:
    """How many batches an epoch has."""
    return math.ceil(data.count(columns) / BATCH_SIZE)


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
    epochs = min(epochs, math.ceil(MAX_STEPS / steps_of_epoch(columns)))
    history: list[dict[str, float]] = []
    training.total = min(
        math.ceil(data.count(columns) / BATCH_SIZE) * epochs, MAX_STEPS
    )
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
    training = Training(Answerer()).to(DEVICE)
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training.model, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training.model, options.out / "weights.safetensors")
    symbols = json.dumps(data.vocabulary())
    (options.out / "vocabulary.json").write_text(symbols)
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

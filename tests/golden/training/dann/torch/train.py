"""Train DANN on Moons."""

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
from model import Classifier, Features, Plain

BATCH_SIZE = 64
EPOCHS = 100
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


class ReverseGradient(torch.autograd.Function):
    """x on the way forward; -scale times the gradient on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradient, None


class Training(nn.Module):
    """DANN learns from Moons."""

    def __init__(
        self, F: Features, moon: Classifier, domain: Classifier, plain: Plain
    ) -> None:
        super().__init__()
        self.F = F
        self.moon = moon
        self.domain = domain
        self.plain = plain
        self.losses = {"learn": self.learn_loss, "plainly": self.plainly_loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "learn": torch.optim.Adam(
                [*F.parameters(), *moon.parameters(), *domain.parameters()],
                lr=1.0,
                fused=True,
            ),
            "plainly": torch.optim.Adam(plain.parameters(), lr=0.001, fused=True),
        }
        self.total = 1  # updates, when training ends
        self.updates = 0

    def learn_loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of F and moon and domain."""
        point, label, target = batch["point"], batch["label"], batch["target"]
        progress = torch.tensor(self.updates / self.total)
        known = self.F(point)  # [N, 32]
        other = self.F(target)  # [N, 32]
        x = self.moon(known)  # [N, 1]
        label_loss = F.binary_cross_entropy_with_logits(
            x[:, 0], label.to(torch.float32)
        )
        lambda_ = 6.0 * (2 / (1 + torch.exp(-10 * progress)) - 1)
        x = lambda_ * ReverseGradient.apply(known, 1.0)
        x = x + (1 - lambda_) * known.detach()
        x = F.softplus(self.domain(x))  # [N, 1]
        reversed2_lambda = 6.0 * (2 / (1 + torch.exp(-10 * progress)) - 1)
        h = reversed2_lambda * ReverseGradient.apply(other, 1.0)
        h = h + (1 - reversed2_lambda) * other.detach()
        h = F.softplus(-self.domain(h))  # [N, 1]
        domain_loss = x.mean() + h.mean()
        return label_loss + domain_loss / 2

    def plainly_loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of plain."""
        point, label = batch["point"], batch["label"]
        x = self.plain(point)  # [N, 1]
        return F.binary_cross_entropy_with_logits(x[:, 0], label.to(torch.float32))

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        target, target_label = batch["target"], batch["target_label"]
        x = self.F(target)  # [N, 32]
        x = self.moon(x)  # [N, 1]
        x = (x[:, 0] > 0) == (target_label == 1)
        target1 = x.to(torch.float32).mean()
        x = self.plain(target)  # [N, 1]
        x = (x[:, 0] > 0) == (target_label == 1)
        target_plainly = x.to(torch.float32).mean()
        return {"target": target1, "target_plainly": target_plainly}

    def set_rates(self) -> None:
        """Set the learning rates of the next update."""
        progress = self.updates / self.total
        for group in self.optimizers["learn"].param_groups:
            group["lr"] = 0.005 / (1 + 10 * progress) ** 0.75

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
    training = Training(Features(), Classifier(), Classifier(), Plain()).to(DEVICE)
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

"""Train SimCLR on Digits."""

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
from model import Encoder, Probe, Projection

BATCH_SIZE = 128
EPOCHS = 60
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


class Training(nn.Module):
    """SimCLR learns from Digits."""

    def __init__(self, encode: Encoder, project: Projection, probe: Probe) -> None:
        super().__init__()
        self.encode = encode
        self.project = project
        self.probe = probe
        self.losses = {"contrast": self.contrast_loss, "read": self.read_loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "contrast": torch.optim.Adam(
                [*encode.parameters(), *project.parameters()],
                lr=0.001,
                eps=1e-5,
                fused=True,
            ),
            "read": torch.optim.Adam(
                probe.parameters(), lr=0.003, eps=1e-5, fused=True
            ),
        }

    def contrast_loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of encode and project."""
        image = batch["image"]
        N = image.shape[0]
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        scale = 1 + 0.15 * x
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        shift = 1.2 * x
        x = torch.arange(8, device=image.device)[None, :, None] - 3.5  # [1, 8, 1]
        place = scale * x + 3.5 + shift  # [N, 8, 1]
        x = place - torch.arange(8, device=image.device)[None, None]  # [N, 8, 8]
        weight = F.relu(1 - x.abs())
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view1_sampling2_scale = 1 + 0.15 * x
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view1_sampling2_shift = 1.2 * x
        x = torch.arange(8, device=image.device)[None, :, None] - 3.5  # [1, 8, 1]
        view1_sampling2_place = view1_sampling2_scale * x + 3.5 + view1_sampling2_shift
        x = torch.arange(8, device=image.device)[None, None]  # [1, 1, 8]
        view1_sampling2_weight = F.relu(1 - (view1_sampling2_place - x).abs())
        x = (weight @ image.reshape(-1, 8, 8)).transpose(-2, -1)
        x = (view1_sampling2_weight @ x).transpose(-2, -1)
        h = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        contrast = 1 + 0.3 * h
        x = x * contrast + 0.1 * torch.randn((N, 8, 8), device=image.device)
        x = x.flatten(1)  # [N, 64]
        x = self.encode(x)  # [N, 128]
        first = self.project(x)  # [N, 64]
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view2_sampling1_scale = 1 + 0.15 * x
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view2_sampling1_shift = 1.2 * x
        x = torch.arange(8, device=image.device)[None, :, None] - 3.5  # [1, 8, 1]
        view2_sampling1_place = view2_sampling1_scale * x + 3.5 + view2_sampling1_shift
        x = torch.arange(8, device=image.device)[None, None]  # [1, 1, 8]
        view2_sampling1_weight = F.relu(1 - (view2_sampling1_place - x).abs())
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view2_sampling2_scale = 1 + 0.15 * x
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view2_sampling2_shift = 1.2 * x
        x = torch.arange(8, device=image.device)[None, :, None] - 3.5  # [1, 8, 1]
        view2_sampling2_place = view2_sampling2_scale * x + 3.5 + view2_sampling2_shift
        x = torch.arange(8, device=image.device)[None, None]  # [1, 1, 8]
        view2_sampling2_weight = F.relu(1 - (view2_sampling2_place - x).abs())
        x = (view2_sampling1_weight @ image.reshape(-1, 8, 8)).transpose(-2, -1)
        view2_x = (view2_sampling2_weight @ x).transpose(-2, -1)
        x = torch.empty((N, 1, 1), dtype=torch.float32, device=image.device).uniform_(
            -1.0, 1.0
        )
        view2_contrast = 1 + 0.3 * x
        x = 0.1 * torch.randn((N, 8, 8), device=image.device)  # [N, 8, 8]
        x = (view2_x * view2_contrast + x).flatten(1)  # [N, 64]
        x = self.encode(x)  # [N, 128]
        second = self.project(x)  # [N, 64]
        a = first / torch.linalg.vector_norm(first, dim=1, keepdim=True)
        b = second / torch.linalg.vector_norm(second, dim=1, keepdim=True)
        both = torch.cat([a, b])  # [2 * N, 64]
        s = both @ both.T / 0.2  # [2 * N, 2 * N]
        x = torch.eye(2 * N, 2 * N, dtype=torch.float32, device=image.device)
        others = torch.where(x > 0, -1000000000.0, s)
        return others.logsumexp(dim=1).mean() - (a * b).sum(dim=1).mean() / 0.2

    def read_loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of probe."""
        image, label = batch["image"], batch["label"]
        x = self.encode(image).detach()  # [N, 128]
        x = self.probe(x)  # [N, 10]
        return F.cross_entropy(x, label)

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        image, label = batch["image"], batch["label"]
        x = self.encode(image)  # [N, 128]
        x = self.probe(x)  # [N, 10]
        x = x.argmax(dim=1) == label
        return {"accuracy": x.to(torch.float32).mean()}

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
    training = Training(Encoder(), Projection(), Probe()).to(DEVICE)
    # Channels-last: 2-D convolutions are quicker so.
    training.to(memory_format=torch.channels_last)
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

"""Train Listener on Utterances."""

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
from model import Listener

BATCH_SIZE = 32
EPOCHS = 10
SEED = 0
MEANS = {"loss"}
ROWS = {"said", "label_error_heard", "truth", "known"}

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]


def edit_distance(
    guess: np.ndarray, truth: np.ndarray, counts: np.ndarray, known: np.ndarray
) -> np.ndarray:
    """The edits that make each row of `guess` that of `truth`, where both count."""
    distances = []
    found, wanted = map(np.extract, counts, guess), map(np.extract, known, truth)
    for symbols, labels in zip(found, wanted, strict=True):
        steps = np.arange(len(labels) + 1)
        row = steps
        for symbol in symbols:
            best = np.minimum(row[1:] + 1, row[:-1] + (labels != symbol))
            best = np.concatenate([row[:1] + 1, best])
            row = np.minimum.accumulate(best - steps) + steps
        distances.append(row[-1])
    return np.array(distances)


class Training(nn.Module):
    """Listener learns from Utterances."""

    def __init__(self, model: Listener) -> None:
        super().__init__()
        self.model = model
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.Adam(
                model.parameters(), lr=0.005, eps=1e-5, fused=True
            ),
        }

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        speech, frames, digits, count = (
            batch["speech"],
            batch["frames"],
            batch["digits"],
            batch["count"],
        )
        logits, _ = self.model(speech, frames)
        x = F.ctc_loss(
            logits.log_softmax(dim=2).transpose(0, 1),
            digits + 1,
            frames,
            count,
            reduction="none",
        )
        return x.mean()

    def parts(self, batch: Batch) -> Batch:
        """What a batch gives to the metrics over all examples."""
        speech, frames, digits, count = (
            batch["speech"],
            batch["frames"],
            batch["digits"],
            batch["count"],
        )
        logits, _ = self.model(speech, frames)
        x = digits + 1
        h = F.ctc_loss(
            logits.log_softmax(dim=2).transpose(0, 1),
            x,
            frames,
            count,
            reduction="none",
        )
        loss = h.mean()
        symbol = logits.argmax(dim=2)  # [N, 56]
        h = symbol[:, 1:] == symbol[:, :55]  # [N, 55]
        repeated = torch.cat([symbol[:, :1] == -1, h], dim=1)
        counts = (symbol != 0) & ~repeated
        h = counts & (torch.arange(56, device=speech.device) < frames[:, None])
        y = torch.arange(4, device=speech.device) < count[:, None]  # [N, 4]
        return {
            "loss": loss,
            "said": symbol,
            "label_error_heard": h,
            "truth": x,
            "known": y,
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
    """What is computed for each batch, over all: means or rows."""
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
    said = parts["said"]
    label_error_heard = parts["label_error_heard"]
    truth = parts["truth"]
    known = parts["known"]
    x = edit_distance(said, truth, label_error_heard, known)  # [N]
    h = np.sum(known.astype(np.float32), (0, 1))
    return {"loss": float(parts["loss"]), "label_error": float(np.sum(x, (0,)) / h)}


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
    training = Training(Listener()).to(DEVICE)
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

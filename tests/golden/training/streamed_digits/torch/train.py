"""Train Classifier on Digits."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import checkpoints
import data
import weights
from model import Classifier

BATCH_SIZE = 64
EPOCHS = 30
SEED = 0

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

Batch = dict[str, Tensor]
Save = Callable[[], None]


class Training(nn.Module):
    """Classifier learns from Digits."""

    def __init__(self, model: Classifier) -> None:
        super().__init__()
        self.model = model
        self.losses = {"loss": self.loss}
        # Fused: one pass over all weights is quicker.
        self.optimizers = {
            "loss": torch.optim.Adam(
                model.parameters(), lr=0.002, eps=1e-5, fused=True
            ),
        }

    def loss(self, batch: Batch) -> Tensor:
        """Minimized over the weights of model."""
        image, label = batch["image"], batch["label"]
        logits = self.model(image)  # [N, 10]
        return F.cross_entropy(logits, label)

    def metrics(self, batch: Batch) -> Batch:
        """How good the models are on a batch."""
        image, label = batch["image"], batch["label"]
        logits = self.model(image)  # [N, 10]
        loss = F.cross_entropy(logits, label)
        x = logits.argmax(dim=1) == label
        accuracy = x.to(torch.float32).mean()
        return {"loss": loss, "accuracy": accuracy}

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
        self, columns: data.Columns, seed: int, epoch: int, place: Place, save: Save
    ) -> dict[str, float]:
        """Update the models with every example once; gives the mean losses."""
        batches = data.batches(columns, BATCH_SIZE, seed, epoch, first=place.batches)
        rest = place.counted(batches, save)
        return means(self.train_step, map(self.tensors, rest), place)

    @torch.inference_mode()
    def evaluate(self, columns: data.Columns) -> dict[str, float]:
        """The mean metrics over all examples."""
        self.eval()
        batches = data.batches(columns, BATCH_SIZE, shuffle=False)
        result = means(self.metrics, map(self.tensors, batches))
        self.train()
        return result

    def state(self) -> dict[str, Any]:
        """All that training changes: weights, optimizers, random numbers."""
        return {
            "models": self.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "random": [torch.get_rng_state(), *torch.cuda.get_rng_state_all()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.load_state_dict(state["models"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        torch.set_rng_state(state["random"][0])
        torch.cuda.set_rng_state_all(state["random"][1:])

    def tensors(self, batch: data.Columns) -> Batch:
        """A batch of arrays as tensors, where the models are."""
        return {name: torch.from_numpy(a).to(DEVICE) for name, a in batch.items()}


def means(
    compute: Callable[[Any], dict[str, Any]],
    batches: Iterable[Any],
    place: Place | None = None,
) -> dict[str, float]:
    """What is computed for each batch, averaged over examples, those before `place` too."""
    place = place or Place()
    for batch in batches:
        size = data.count(batch)
        for name, value in compute(batch).items():
            place.sums[name] = place.sums.get(name, 0) + size * value
        place.examples += size
    return {name: float(value) / place.examples for name, value in place.sums.items()}


@dataclass
class Place:
    """How far a run is within an epoch, and in steps all in all."""

    steps: int = 0
    batches: int = 0
    examples: int = 0
    sums: dict[str, Any] = field(default_factory=dict)

    def counted(self, batches: Iterable[Any], save: Save) -> Iterator[Any]:
        """The batches from here on; `save` is called after every 50 steps."""
        for batch in batches:
            yield batch
            self.batches, self.steps = self.batches + 1, self.steps + 1
            if self.steps % 50 == 0:
                save()


def train(
    training: Training,
    out: Path,
    epochs: int = EPOCHS,
    seed: int = SEED,
    resume: bool = False,
) -> list[dict[str, float]]:
    """Train, print a line an epoch, and collect the results."""
    columns, held_out = data.load("train"), data.load("test")
    history: list[dict[str, float]] = []
    place = Place()

    def save() -> None:
        state = {"training": training.state(), "history": history, "seed": seed}
        checkpoints.save(out, place.steps, {**state, "place": vars(place)})

    if not resume:
        checkpoints.clear(out)
    elif state := checkpoints.load(out):
        training.restore(state["training"])
        history, seed = state["history"], state["seed"]
        place = Place(**state["place"])
    log = out / "metrics.jsonl"
    log.write_text("".join(json.dumps(result) + "\n" for result in history))
    for epoch in range(len(history), epochs):
        start = time.perf_counter()
        result = training.train_epoch(columns, seed, epoch, place, save)
        for name, value in training.evaluate(held_out).items():
            result["test_" + name] = value
        result["seconds"] = time.perf_counter() - start
        history.append(result)
        with log.open("a") as file:
            file.write(json.dumps(result) + "\n")
        figures = "  ".join(f"{name} {value:.4g}" for name, value in result.items())
        print(f"epoch {epoch + 1}/{epochs}  {figures}", flush=True)
        place = Place(place.steps)
    return history


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED, help="of all that is random")
    parser.add_argument("--weights", type=Path, help="initial weights")
    parser.add_argument("--out", type=Path, default=Path("run"), help="results")
    parser.add_argument("--resume", action="store_true", help="go on in --out")
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    training = Training(Classifier()).to(DEVICE)
    # Channels-last: 2-D convolutions are quicker so.
    training.to(memory_format=torch.channels_last)
    # Max-pooling comes before relu in model.py: the same numbers, and fewer of them to compare.
    initial = options.weights or Path(__file__).with_name("weights.safetensors")
    if options.weights or initial.exists():
        weights.load(training.model, initial)
    options.out.mkdir(parents=True, exist_ok=True)
    history = train(training, options.out, options.epochs, options.seed, options.resume)
    results = {split: training.evaluate(data.load(split)) for split in data.SPLIT}
    weights.save(training.model, options.out / "weights.safetensors")
    partial = options.out / "metrics.json.partial"
    partial.write_text(json.dumps({"history": history, "results": results}, indent=2))
    partial.replace(options.out / "metrics.json")


if __name__ == "__main__":
    main()

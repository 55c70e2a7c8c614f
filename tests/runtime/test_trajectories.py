"""Every optimizer, schedule, clipping, accumulation and averaging: 20 updates on each framework, as defined."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlspec.elaborate import schedules
from dlspec.elaborate.program import load_program
from dlspec.emit.manifest import load_backend
from dlspec.emit.project import print_project
from dlspec.ir.graph import Program
from dlspec.ir.paths import under_any
from dlspec.ir.training import Clip, Step, Training
from dlspec.ops.optimizers import optimizers
from dlspec.runtime.learning import trained
from dlspec.runtime.project import load_project
from dlspec.runtime.verify.sides import FRAMEWORKS
from dlspec.runtime.verify.trajectory import double_precision
from dlspec.weights.draw import draw_weights
from dlspec.weights.store import save_weights

SPEC = """
model Net {{
  input point: f32[N, 2]
  output logits = point -> Linear(5) -> tanh -> Linear(3)
}}

data Moons {{
  source  = synthetic("moons", noise = 0.1)
  columns = {{ point: f32[2], label: i64 }}
  split   = {{ train: 0.5, val: 0.5 }}
}}

train Net on Moons {{
  loss       = cross_entropy(logits, label)
  optimizer  = {optimizer}
  batch_size = 8
  {settings}
}}
"""
MOMENTUM = "SGD(lr = 0.2 * {}, momentum = 0.9)"
SCHEDULES = [
    "warmup(5)",
    "linear",
    "linear(end = 0.1, after = 4)",
    "cosine(end = 0.1)",
    "warmup(4) * cosine(after = 4)",
    "polynomial(power = 3, end = 0.05)",
    "exponential(0.9)",
    "staircase(0.5, every = 6)",
    "piecewise(at = [5, 12], values = [1, 0.5, 0.1])",
    "inverse_sqrt(4)",
    "one_cycle(peak = 0.4)",
    "0.8 ** epoch",
    "where(progress < 0.5 and step > 2, 1 - progress, step / steps)",
]
LATER = 'groups = { "**.bias": { weight_decay: 0 }, linear2: { lr: 0.02, weight_decay: 0.9 } }'
HALVES = 'decay = "matrices", groups = { linear1: { lr: 0.03 * linear }, linear2: { weight_decay: 0.9 } }'
GROUPED = {
    "groups": (f"AdamW(lr = 0.05, weight_decay = 0.5, {LATER})", "clip = { norm: 0.05 }"),
    "groups, coupled decay": (f"SGD(lr = 0.05, momentum = 0.9, weight_decay = 0.1, {LATER})", "ema = 0.8"),
    "groups, no decay but theirs": (f"SGD(lr = 0.05, {LATER})", ""),
    "groups, rate falls": (f"AdamW(lr = 0.05 * cosine, weight_decay = 0.5, {LATER})", "accumulate = 2"),
    "groups, theirs falls": (f"AdamW(lr = 0.05, weight_decay = 0.5, {HALVES})", ""),
    "groups, all fall": (f"Lion(lr = 0.05 * cosine, weight_decay = 0.5, {HALVES})", ""),
    "groups, without decay": ("Momentum(lr = 0.5, groups = { linear2: { lr: 0.1 * warmup(4) } })", ""),
    "groups of all weights": ('Adam(lr = 1, groups = { "**": { lr: 0.05 } })', "freeze = linear1.bias"),
    "groups, loss scaling": ("SGD(lr = 0.5, groups = { linear2: { lr: 0.2 * cosine } })", "precision = fp16"),
}
RULES = {
    "clip norm": ("SGD(lr = 0.5)", "clip = { norm: 0.05 }"),
    "clip norm, not reached": ("SGD(lr = 0.5)", "clip = { norm: 100 }"),
    "clip value": ("Adam(lr = 0.05)", "clip = { value: 0.01 }"),
    "accumulate": ("Adam(lr = 0.05)", "accumulate = 3"),
    "accumulate and clip": ("SGD(lr = 0.5 * cosine)", "accumulate = 3  clip = { norm: 0.05 }"),
    "ema": ("Adam(lr = 0.05)", "ema = 0.8"),
    "freeze": ("AdamW(lr = 0.05, weight_decay = 0.5)", "freeze = linear1  clip = { norm: 0.05 }  ema = 0.8"),
    "no decay of vectors, coupled": ('SGD(lr = 0.1, weight_decay = 0.5, decay = "matrices")', ""),
    "no decay of vectors": ('AdamW(lr = 0.1 * linear, weight_decay = 0.5, decay = "matrices")', ""),
    "no decay of vectors, own class": ('Lion(lr = 0.01, weight_decay = 0.5, decay = "matrices")', ""),
    **GROUPED,
    "loss scaling": ("Adam(lr = 0.05)", "precision = fp16"),
    "loss scaling, clip norm": ("SGD(lr = 0.5)", "precision = fp16  clip = { norm: 0.05 }"),
    "loss scaling, clip value": ("SGD(lr = 0.5)", "precision = fp16  clip = { value: 0.01 }"),
}
TESTED = {
    "steps": "here: optimizers and schedules; `every` by test_copies.py",
    "clip": "here",
    "accumulate": "here",
    "ema": "here",
    "precision": "here: the scale of losses; what f16 and bf16 round differs between frameworks",
    "plateau": "below",
    "freeze": "here",
    "copies": "test_copies.py",
    "frozen": "test_copies.py",
    "deterministic": "test_trajectory.py",
}
"""The settings of a training that say how weights move, and where their trajectories are compared."""
NO_RULE = {
    "name", "data", "models", "evaluate", "policy", "metrics", "batch_size", "epochs", "max_steps", "seed", "log",
    "doc", "init_from", "checkpoint", "best", "compile", "channels_last", "pool_first", "remat", "parallel",
    "fused", "steps_per_execution",
}  # fmt: skip
"""The other settings: what is measured and kept, how long it goes on, and how it is computed."""


def written(fields: dict[str, Any]) -> str:
    """Arguments as in a spec."""
    return ", ".join(
        f"{k} = {list(v) if isinstance(v, tuple) else str(v).lower()}" for k, v in fields.items()
    )


CASES = {
    **{
        f"{n}({written(e)})": (f"{n}({written(e)})", "")
        for n, cls in optimizers().items()
        for e in cls.examples
    },
    **{schedule: (MOMENTUM.format(schedule), "") for schedule in SCHEDULES},
    "paper momentum, rate falls": ("Momentum(lr = 0.5 * linear)", ""),
    **RULES,
}
UPDATES = 20
FACTORS = [1, 0.5, 0.1]
"""Of rates that fall on a plateau, for seven updates each."""
LIMITS = {False: 1e-4, True: 1e-9}


def gradients(weights: dict[str, Any], batch: dict[str, Any]) -> dict[str, Any]:
    """Of the mean cross entropy, by hand."""
    x, label = batch["point"].astype(np.float64), batch["label"]
    hidden = np.tanh(x @ weights["linear1.weight"].T + weights["linear1.bias"])
    logits = hidden @ weights["linear2.weight"].T + weights["linear2.bias"]
    odds = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    down = (odds - np.eye(3)[label]) / len(label)
    inner = down @ weights["linear2.weight"] * (1 - hidden**2)
    return {
        "linear1.weight": inner.T @ x,
        "linear1.bias": inner.sum(0),
        "linear2.weight": down.T @ hidden,
        "linear2.bias": down.sum(0),
    }


def batches(size: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {"point": rng.standard_normal((size, 2)).astype("float32"), "label": rng.integers(0, 3, size)}
        for _ in range(UPDATES)
    ]


def learned(framework: str, program: Program, weights: Path, double: bool) -> dict[str, Any]:
    """The weights after all updates, or their averages where the training has some."""
    files = print_project(program, "Net", load_backend(framework))
    autocast = "torch.autocast(DEVICE, torch.float16)"
    files["train.py"] = files["train.py"].replace(f"{autocast}(model.forward)", "model.forward")
    project = load_project(double_precision(files) if double else files)
    side = FRAMEWORKS[framework](project, "Net", weights, double, "model")
    with side.policy():
        training = side.started(UPDATES)
        if hasattr(training, "length"):
            training.length = 5
        for count, batch in enumerate(batches(8 * program.trainings["Net"].accumulate)):
            if program.trainings["Net"].plateau:
                training.factor = FACTORS[count // 7]
            arrays: Any = side.cast(batch)
            training.train_step(side.tensors(arrays) if framework == "torch" else arrays)
        if hasattr(training, "exchange"):
            training.exchange()
        return side.canonical(side.root(training))


def compare(
    program: Program, wanted: dict[str, Any], start: dict[str, Any], framework: str, folder: Path
) -> None:
    """Both precisions of a framework against the definition; losses are scaled for the sake of f16, not in f64."""
    scaled = program.trainings["Net"].precision == "fp16"
    for double, limit in LIMITS.items():
        if scaled and double:
            continue
        found = learned(framework, program, folder / "start.safetensors", double)
        for name, array in wanted.items():
            error = np.abs(found[name] - array).max() / np.abs(array).max()
            assert error <= limit, f"{name}, {'f64' if double else 'f32'}: {error:.1e}"
            moves = name not in under_any(program.trainings["Net"].freeze, wanted)
            assert np.abs(start[name] - array).max() > 2 * limit if moves else (start[name] == array).all()


def started(folder: Path, optimizer: str, settings: str) -> tuple[Program, dict[str, Any]]:
    """The program of a case, and its initial weights, which `folder` has then, too."""
    spec = folder / "net.dls"
    spec.write_text(SPEC.format(optimizer=optimizer, settings=settings))
    program = load_program(spec)
    start = draw_weights(program, program.models["Net"])
    save_weights(folder / "start.safetensors", start)
    return program, start


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("case", CASES)
def test_trajectory(case: str, framework: str, tmp_path: Path) -> None:
    program, start = started(tmp_path, *CASES[case])
    training = program.trainings["Net"]
    moved, averages = trained(program, "Net", start, batches(8 * training.accumulate), gradients, 5)
    compare(program, averages if training.ema else moved, start, framework, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize(
    "optimizer",
    [
        "Adam(lr = 0.05{})",
        "SGD(lr = 0.5 * cosine{}, momentum = 0.9)",
        "Adam(lr = 0.05{}, groups = {{ linear2: {{ lr: 0.02{} }} }})",
    ],
)
def test_on_plateau(optimizer: str, framework: str, tmp_path: Path) -> None:
    """The rate is that of a schedule with the same factors; when they change: test_plateau.py."""
    pieces = f" * piecewise(at = [7, 14], values = {FACTORS})"
    program, start = started(tmp_path, optimizer.format(pieces, pieces), "")
    wanted, _ = trained(program, "Net", start, batches(8), gradients, 5)
    settings = "on_plateau = { metric: val_loss, factor: 0.5, patience: 0 }"
    program, start = started(tmp_path, optimizer.format("", ""), settings)
    compare(program, wanted, start, framework, tmp_path)


def test_every_setting_that_moves_weights_is_tested() -> None:
    assert {*Training.model_fields} == {*TESTED, *NO_RULE}
    assert {*Step.model_fields} == {"name", "graph", "updates", "optimizer", "rate", "every", "groups"}
    written = " ".join(settings for _, settings in RULES.values())
    assert all(f"{bound}:" in written for bound in Clip.model_fields)


def test_every_schedule_is_tested() -> None:
    assert {*schedules.names()} <= {*re.findall(r"\w+", " ".join(SCHEDULES))}

"""The spec of a combination: one small model, the settings of each factor at their places (`settings.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Levels = Mapping[str, str]
"""A combination: factor to level; factors that are missing have their first level."""

SPEC = """
IMPORTS
block Part(width) { input x  output y = x -> Linear(width) DROP -> tanh }
model Net {
  input x: f32[N, TIME, 6]
  INPUTS
  part = Part(8)
  head = Linear(3)
  BODY
  scores = (h ADDED) -> head
  output logits = scores NOISE
}
data Rows {
  source  = npz("rows.npz")
  columns = { x: f32[TIME, 6], label: i64, part: i64, long: i64, extra: f32[2]TYPES }
  seed    = 1
  DATA
  prepare { PREPARE }
  augment { AUGMENT }
}
EARLIER
train Net on Rows {
  batch_size = 5
  TRAIN
}
"""
IMPORTS = {
    "weighted_cross_entropy(": 'import { weighted_cross_entropy } from "std/losses"',
    "auc(": 'import { auc } from "std/metrics"',
    "confusion(": 'import { confusion } from "std/metrics"',
}
SHORT = "loss = LOSS  optimizer = OPTIMIZER"
EARLIER = """
train Before on Rows {
  models = { net: Net }
  step learn updates net with SGD(lr = 0.1) { minimize mean(net(ARGUMENTS) ** 2) }
}
"""


@cache
def factors() -> dict[str, dict[str, dict[str, Any]]]:
    """Every factor by name, and its levels by theirs."""
    return tomllib.loads(Path(__file__).with_name("settings.toml").read_text("utf-8"))


def first(factor: str) -> str:
    """The level that a factor has if nothing is asked for."""
    return next(iter(factors()[factor]))


def written(levels: Levels) -> dict[str, Any]:
    """What the levels write at each place; words of settings add up."""
    found: dict[str, Any] = {}
    for factor, known in factors().items():
        for place, value in known[levels.get(factor, first(factor))].items():
            found[place] = f"{found[place]}  {value}" if isinstance(value, str) and place in found else value
    return found


def has(levels: Levels, mark: str) -> bool:
    """Whether one of the levels is marked so: `free`, `half`, `slow`."""
    return bool(written(levels).get(mark))


def spec(levels: Levels) -> str:
    """The text of a combination."""
    places = written(levels)
    long = "steps" in places
    arguments = ", ".join(["x", *places.get("columns", [])])
    soft = places.get("soft", False)
    names = re.findall(r"step (\w+)", places.get("steps", ""))
    judged = "val_loss" if not long else names[0] if len(names) > 1 else "loss"
    words = {
        "OPTIMIZER": places.get("optimizer", "SGD(lr = 0.1RATEGROUPS)"),
        "LOSS": places.get(
            "loss",
            "mean(sum(-label * log_softmax(logits), axis = 1))" if soft else "cross_entropy(logits, label)",
        ),
        "GROUPS": places.get("groups", ""),
        "RATE": places.get("rate", ""),
        "HARD": "argmax(label, axis = 1)" if soft else "label",
        "SHARES": "label" if soft else "one_hot(label, 3)",
        "RESULT": f"net({arguments})" if long else "logits",
        "MODEL": "net" if long else "model",
        "NET": f"net({arguments})",
        "OTHER": f"other({arguments})",
        "PATH.": "net." if long else "",
        "JUDGED": judged,
        "INIT": '{ net: trained("Before") }' if long else 'trained("Before")',
    }
    models = f"models = {{ net: Net, {places.get('models', '')} }}  {places.get('steps', '')}"
    metrics = f"metrics = {{ {places['metrics']} }}" if "metrics" in places else ""
    text = SPEC
    for name, value in {
        "IMPORTS": "\n".join(IMPORTS[name] for name in IMPORTS if name in str(places)),
        "TRAIN": f"{models if long else SHORT}  {metrics}  {places.get('train', '')}",
        "EARLIER": EARLIER.replace("ARGUMENTS", arguments) if places.get("earlier") else "",
        "DROP": places.get("drop", ""), "NOISE": places.get("noise", ""), "TIME": places.get("time", "8"),
        "INPUTS": places.get("inputs", ""), "ADDED": places.get("added", ""), "BODY": places["body"],
        "TYPES": f", {places['types']}" if "types" in places else "",
        "DATA": places.get("data", ""), "PREPARE": places.get("prepare", ""), "AUGMENT": places.get("augment", ""),
    }.items():  # fmt: skip
        text = text.replace(name, value)
    for name, value in words.items():
        text = text.replace(name, value)
    for empty in ("prepare {  }", "augment {  }"):
        text = text.replace(empty, "")
    return text.replace(", :", ":")


def rows(folder: Path, count: int = 40) -> None:
    """Write the data: series of 2 to 8 steps with a class, a name, a text and a part each."""
    rng = np.random.default_rng(0)
    long = rng.integers(2, 9, count)
    x = rng.standard_normal((count, 8, 6)) * (np.arange(8)[:, None] < long[:, None, None])
    words = ["".join(rng.choice(list("abcdefg "), rng.integers(1, 13))) for _ in range(count)]
    np.savez(
        folder / "rows.npz",
        x=x.astype("float32"),
        label=rng.integers(0, 3, count),
        part=np.arange(count) % 3,
        long=long,
        extra=rng.standard_normal((count, 2)).astype("float32"),
        kind=np.array(["oak", "ash"])[rng.integers(0, 2, count)],
        words=np.array(words),
    )

"""The networks that are trained for their speed, over noise of their shape: what is learned does not matter here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Network:
    """A network: its body in a spec, the shape of an example, how many of these there are, and in a batch."""

    body: str
    shape: tuple[int, ...]
    examples: int
    batch: int


NETWORKS = {
    "cnn": Network(
        """output logits = x -> Conv2d(32, 3) -> relu -> MaxPool2d(2) -> Conv2d(64, 3) -> relu -> MaxPool2d(2)
          -> flatten -> Linear(128) -> relu -> Linear(10)""",
        (1, 28, 28), 1600, 64,
    ),
    "mlp": Network("output logits = x -> Linear(128) -> relu -> Linear(10)", (64,), 6400, 32),
    "lstm": Network('output logits = x -> LSTM(128, output = "last") -> Linear(10)', (32, 16), 1600, 32),
    "transformer": Network(
        """h = x
        repeat 2 { h = h -> EncoderLayer(4, 256, dropout = 0.0) }
        output logits = mean(h, axis = 1) -> Linear(10)""",
        (32, 64), 1280, 32,
    ),
}  # fmt: skip

SPEC = """
import {{ EncoderLayer }} from "std/transformer"

model Net {{
        input x: f32[N, {shape}]
        {body}
}}
data Noise {{
  source  = npz("{path}")
  columns = {{ x: f32[{shape}], label: i64 }}
  split   = {{ train: 0.9, test: 0.1 }}
}}
train Net on Noise {{
  loss       = cross_entropy(logits, label)
  optimizer  = Adam(lr = 1e-3)
  batch_size = {batch}
  {setting}
}}
"""


def write_project(name: str, backend: str, setting: str, folder: Path) -> None:
    """Print the training of a network, with a setting of `train`, into `folder`, beside its examples."""
    from dlspec.api import loads
    from dlspec.emit.manifest import load_backend
    from dlspec.emit.project import print_project

    network, rng = NETWORKS[name], np.random.default_rng(0)
    path = folder / "examples.npz"
    x = rng.random((network.examples, *network.shape), "float32")
    np.savez(path, x=x, label=rng.integers(0, 10, network.examples))
    shape = ", ".join(map(str, network.shape))
    spec = SPEC.format(
        body=network.body, shape=shape, path=path.as_posix(), batch=network.batch, setting=setting
    )
    if "EncoderLayer(" not in network.body:
        spec = spec.replace('import { EncoderLayer } from "std/transformer"', "")
    for file, text in print_project(loads(spec).program, "Net", load_backend(backend)).items():
        (folder / file).write_text(text)

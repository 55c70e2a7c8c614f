"""What a reference model is, and how its weights and inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

BATCH = 2


@dataclass(frozen=True)
class Sample:
    """A model saved as its library saves it, with inputs and the outputs that it computes for them.

    Inputs and outputs are by their names in the spec.
    """

    file: Path
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class Reference:
    """A model of a library, and the spec that should be the same.

    build
        makes the model, saves it into the folder given, and runs it.
    settings
        what the spec is set to, so that it has the sizes and conventions of the reference.
    heavy
        proved by the script only, not by the tests.
    """

    name: str
    spec: str
    model: str
    library: str
    title: str
    mapping: str
    build: Callable[[Path], Sample]
    settings: dict[str, Any] = field(default_factory=dict)
    heavy: bool = False


def generator(name: str) -> np.random.Generator:
    """Random numbers that hang on a name only."""
    return np.random.default_rng(list(name.encode()))


def images(size: int, channels: int = 3) -> Any:
    """A batch of images, channels first."""
    return generator("images").standard_normal((BATCH, channels, size, size)).astype(np.float32)


def tokens(words: int, length: int) -> Any:
    """A batch of token numbers."""
    return generator("tokens").integers(0, words, (BATCH, length))


def drawn(name: str, shape: tuple[int, ...], fan_in: int) -> Any:
    """A weight by its foreign name: nothing is zero, one or alike, so that every mix-up shows."""
    random = generator(name)
    if "var" in name.rpartition("/")[2].rpartition(".")[2]:
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if len(shape) < 2:
        scale = name.endswith(("weight", "gamma", "scale"))
        return (scale + 0.2 * random.standard_normal(shape)).astype(np.float32)
    return (random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)

"""CartPole: a world to play in, and the memory of what happened there."""

from __future__ import annotations

import gymnasium
import numpy as np

Columns = dict[str, np.ndarray]

SHAPE = (4,)
SIZE = 20000
START = 1000
EVERY = 2


def make() -> gymnasium.Env:
    """A new world; ValueError where its states are not as the models take them."""
    world = gymnasium.make("CartPole-v1")
    if world.observation_space.shape != SHAPE:
        raise ValueError(
            f"state: expected {SHAPE}, not {world.observation_space.shape}"
        )
    return world


def exploring(step: int) -> float:
    """The share of actions that are random: 1.0 at first, 0.05 after 5000 steps."""
    return 1.0 + (0.05 - 1.0) * min(step / 5000, 1)


class Replay:
    """The last transitions, to learn from in random order (Lin 1992)."""

    def __init__(self) -> None:
        self.added = 0
        self.columns: Columns = {
            "state": np.zeros((SIZE, 4), np.float32),
            "action": np.zeros((SIZE,), np.int64),
            "reward": np.zeros((SIZE,), np.float32),
            "next_state": np.zeros((SIZE, 4), np.float32),
            "terminal": np.zeros((SIZE,), np.float32),
        }

    def add(self, transition: dict[str, object]) -> None:
        """Remember what happened, in place of the oldest."""
        for name, value in transition.items():
            self.columns[name][self.added % SIZE] = value
        self.added += 1

    def sample(self, count: int, rng: np.random.Generator) -> Columns:
        """So many transitions, drawn independently."""
        rows = rng.integers(min(self.added, SIZE), size=count)
        return {name: values[rows] for name, values in self.columns.items()}

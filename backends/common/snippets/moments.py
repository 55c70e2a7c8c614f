from typing import Any

import numpy as np


class Moments:
    """Mean and deviation of what comes in pieces (Chan, Golub and LeVeque 1979)."""

    def __init__(self, *axes: int) -> None:
        self.axes, self.count = axes, 0
        self.mean: Any = 0.0
        self.squares: Any = 0.0

    def add(self, x: np.ndarray) -> None:
        """Take in more examples."""
        mean = x.mean(self.axes, np.float64, keepdims=True)
        squares = np.square(x - mean).sum(self.axes, keepdims=True)
        count, off = x.size // mean.size, mean - self.mean
        total = self.count + count
        self.mean = self.mean + off * (count / total)
        self.squares = self.squares + squares + off**2 * (self.count * count / total)
        self.count = total

    def std(self) -> Any:
        """The deviation from the mean."""
        return np.sqrt(self.squares / self.count)

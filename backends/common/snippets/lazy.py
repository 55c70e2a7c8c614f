from collections.abc import Callable

import numpy as np


class Lazy:
    """A column whose examples are made when they are taken."""

    def __init__(self, total: int, take: Callable[[np.ndarray], np.ndarray]) -> None:
        self.total, self.take = total, take

    def __len__(self) -> int:
        return self.total

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self.take(rows)

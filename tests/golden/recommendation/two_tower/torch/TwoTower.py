"""TwoTower.

Printed by dlspec 0.1.0 from specs/recommendation/two_tower.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def unit(x: Tensor) -> Tensor:
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, 32] -> float32 [N, 32].
    """
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


class Tower(nn.Module):
    """One of many things as a vector of length 1.

    which: int64 [N] -> float32 [N, width].
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)

    def forward(self, which: Tensor) -> Tensor:
        x = self.embedding(which)  # [N, width]
        x = F.relu(self.linear1(x))  # [N, hidden]
        x = self.linear2(x)  # [N, width]
        return unit(x)


class TwoTower(nn.Module):
    """user: int64 [N], item: int64 [N]
    -> score: float32 [N], u: float32 [N, width], v: float32 [N, width].
    """

    def __init__(
        self, users: int = 6040, items: int = 3706, width: int = 32, hidden: int = 64
    ) -> None:
        super().__init__()
        self.query = Tower(users, width, hidden)
        self.candidate = Tower(items, width, hidden)

    def forward(self, user: Tensor, item: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        u = self.query(user)  # [N, width]
        v = self.candidate(item)  # [N, width]
        score = (u * v).sum(dim=1)  # [N]
        return score, u, v

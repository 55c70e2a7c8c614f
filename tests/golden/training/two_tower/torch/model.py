"""TwoTower.

Printed by dlspec 0.1.0 from specs/training/two_tower.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def unit(x: Tensor) -> Tensor:
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, 16] -> float32 [N, 16].
    """
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


def unit2(x: Tensor) -> Tensor:
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, C, 16] -> float32 [N, C, 16].
    """
    return x / torch.linalg.vector_norm(x, dim=2, keepdim=True)


class Tower(nn.Module):
    """One of many things as a vector of length 1.

    which: int64 [N] -> float32 [N, width].
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)

    def forward(self, which: Tensor) -> Tensor:
        x = self.embedding(which)  # [N, width]
        x = F.relu(self.linear1(x))  # [N, hidden]
        x = self.linear2(x)  # [N, width]
        return unit(x)


class Tower2(nn.Module):
    """One of many things as a vector of length 1.

    which: int64 [N, C] -> float32 [N, C, width].
    """

    def __init__(self, count: int, width: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)

    def forward(self, which: Tensor) -> Tensor:
        x = self.embedding(which)  # [N, C, width]
        x = F.relu(self.linear1(x))  # [N, C, hidden]
        x = self.linear2(x)  # [N, C, width]
        return unit2(x)


class TwoTower(nn.Module):
    """user: int64 [N], candidates: int64 [N, C]
    -> u: float32 [N, width], v: float32 [N, C, width], scores: float32 [N, C].
    """

    def __init__(
        self, users: int = 400, items: int = 300, width: int = 16, hidden: int = 32
    ) -> None:
        super().__init__()
        self.tower1 = Tower(users, width, hidden)
        self.tower2 = Tower2(items, width, hidden)

    def forward(
        self, user: Tensor, candidates: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        u = self.tower1(user)  # [N, width]
        v = self.tower2(candidates)  # [N, C, width]
        scores = torch.einsum("ab,acb->ac", u, v)  # [N, C]
        return u, v, scores

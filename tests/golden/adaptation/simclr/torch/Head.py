"""Head: the head by itself, over the features of two views.

Printed by dlspec 0.1.0 from specs/adaptation/simclr.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """The hidden layer is as wide as what comes in.

    h: float32 [N, dim] -> float32 [N, width].
    """

    def __init__(self, dim: int, width: int = 128) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, dim, bias=False)
        self.linear2 = nn.Linear(dim, width, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        x = F.relu(self.linear1(h))
        return self.linear2(x)


def unit(x: Tensor) -> Tensor:
    """Vectors of length 1: [..., D] -> [..., D].

    x: float32 [N, 128] -> float32 [N, 128].
    """
    return x / torch.linalg.vector_norm(x, dim=1, keepdim=True)


class Head(nn.Module):
    """first: float32 [N, features], second: float32 [N, features]
    -> a: float32 [N, width], b: float32 [N, width], likeness: float32 [N].
    """

    def __init__(self, features: int = 2048, width: int = 128) -> None:
        super().__init__()
        self.project = ProjectionHead(features, width=width)

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a = self.project(first)  # [N, width]
        b = self.project(second)  # [N, width]
        x = unit(a) * unit(b)
        likeness = x.sum(dim=1)  # [N]
        return a, b, likeness

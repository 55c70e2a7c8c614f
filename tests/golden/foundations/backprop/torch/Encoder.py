"""Encoder: One of eight, through three units, to the same one of eight: 8-3-8, 59
parameters. A binary code is learned.

Printed by dlspec 0.1.0 from specs/foundations/backprop.dls.
"""

import torch
from torch import Tensor, nn


class Logistic(nn.Module):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, dim] -> x: float32 [N, 8].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 3)
        self.linear2 = nn.Linear(3, 8)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sigmoid(self.linear1(x))  # [N, 3]
        return torch.sigmoid(self.linear2(x))


class Encoder(nn.Module):
    """which: float32 [N, 8] -> drawn: float32 [N, 8]."""

    def __init__(self) -> None:
        super().__init__()
        self.logistic = Logistic(8)

    def forward(self, which: Tensor) -> Tensor:
        return self.logistic(which)

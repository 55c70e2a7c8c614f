"""XOR: Exclusive or: 2-2-1, 9 parameters.

Printed by dlspec 0.1.0 from specs/foundations/backprop.dls.
"""

import torch
from torch import Tensor, nn


class Logistic(nn.Module):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, dim] -> x: float32 [N, 1].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 2)
        self.linear2 = nn.Linear(2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sigmoid(self.linear1(x))  # [N, 2]
        return torch.sigmoid(self.linear2(x))


class XOR(nn.Module):
    """bits: float32 [N, 2] -> answer: float32 [N, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.logistic = Logistic(2)

    def forward(self, bits: Tensor) -> Tensor:
        return self.logistic(bits)

"""Autoencoder: 784-1000-500-250-30-250-500-1000-784.

Printed by dlspec 0.1.0 from specs/foundations/autoencoder.dls.
"""

import torch
from torch import Tensor, nn


class Logistic(nn.Module):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, dim] -> x: float32 [N, 250].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 1000)
        self.linear2 = nn.Linear(1000, 500)
        self.linear3 = nn.Linear(500, 250)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sigmoid(self.linear1(x))  # [N, 1000]
        x = torch.sigmoid(self.linear2(x))  # [N, 500]
        return torch.sigmoid(self.linear3(x))


class LogisticProjection(nn.Module):
    """A stack of logistic layers of these sizes: [N, D] -> [N, sizes[-1]].

    x: float32 [N, dim] -> x: float32 [N, 784].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 250)
        self.linear2 = nn.Linear(250, 500)
        self.linear3 = nn.Linear(500, 1000)
        self.linear4 = nn.Linear(1000, 784)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sigmoid(self.linear1(x))  # [N, 250]
        x = torch.sigmoid(self.linear2(x))  # [N, 500]
        x = torch.sigmoid(self.linear3(x))  # [N, 1000]
        return torch.sigmoid(self.linear4(x))


class Autoencoder(nn.Module):
    """image: float32 [N, 784] -> drawn: float32 [N, 784], z: float32 [N, code]."""

    def __init__(self, code: int = 30) -> None:
        super().__init__()
        self.logistic1 = Logistic(784)
        self.linear = nn.Linear(250, code)
        self.logistic2 = LogisticProjection(code)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.logistic1(image)  # [N, 250]
        z = self.linear(x)  # [N, code]
        drawn = self.logistic2(z)  # [N, 784]
        return drawn, z

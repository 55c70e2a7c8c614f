"""Autoencoder: 784-1000-500-250-30-250-500-1000-784.

Printed by dlspec 0.1.0 from specs/foundations/autoencoder.dls.
"""

import torch
from torch import Tensor, nn


class Logistic(nn.Module):
    """A stack of logistic layers.

    x: float32 [N, in_features] -> x: float32 [N, out_features2].
    """

    def __init__(self, in_features: int, out_features: int, out_features2: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, out_features)
        self.linear2 = nn.Linear(out_features, 500)
        self.linear3 = nn.Linear(500, out_features2)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.sigmoid(self.linear1(x))  # [N, out_features]
        x = torch.sigmoid(self.linear2(x))  # [N, 500]
        return torch.sigmoid(self.linear3(x))


class Autoencoder(nn.Module):
    """image: float32 [N, 784] -> drawn: float32 [N, 784], z: float32 [N, 30]."""

    def __init__(self) -> None:
        super().__init__()
        self.logistic1 = Logistic(in_features=784, out_features=1000, out_features2=250)
        self.linear1 = nn.Linear(250, 30)
        self.logistic2 = Logistic(in_features=30, out_features=250, out_features2=1000)
        self.linear2 = nn.Linear(1000, 784)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.logistic1(image)  # [N, 250]
        z = self.linear1(x)  # [N, 30]
        x = self.logistic2(z)  # [N, 1000]
        drawn = torch.sigmoid(self.linear2(x))  # [N, 784]
        return drawn, z

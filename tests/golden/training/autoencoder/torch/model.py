"""Autoencoder: 64-256-128-4-128-256-64.

Printed by dlspec 0.1.0 from specs/training/autoencoder.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Layers(nn.Module):
    """x: float32 [N, in_features] -> x: float32 [N, out_features2]."""

    def __init__(self, in_features: int, out_features: int, out_features2: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, out_features)
        self.linear2 = nn.Linear(out_features, out_features2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.linear1(x))  # [N, out_features]
        return F.relu(self.linear2(x))


class Autoencoder(nn.Module):
    """image: float32 [N, pixels]
    -> drawn: float32 [N, pixels], z: float32 [N, code].
    """

    def __init__(self, pixels: int = 64, code: int = 4) -> None:
        super().__init__()
        self.layers1 = Layers(pixels, 256, out_features2=128)
        self.linear1 = nn.Linear(128, code)
        self.layers2 = Layers(code, 128, out_features2=256)
        self.linear2 = nn.Linear(256, pixels)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.layers1(image)  # [N, 128]
        z = self.linear1(x)  # [N, code]
        x = self.layers2(z)  # [N, 256]
        drawn = torch.sigmoid(self.linear2(x))  # [N, pixels]
        return drawn, z

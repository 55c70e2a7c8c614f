"""Encoder, Projection and Probe.

Printed by dlspec 0.1.0 from specs/training/simclr.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    """64 pixels to what a probe can read.

    image: float32 [N, 64] -> float32 [N, features].
    """

    def __init__(self, features: int = 128) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, stride=2, padding=1)
        self.linear = nn.Linear(1024, features)

    def forward(self, image: Tensor) -> Tensor:
        x = image.reshape(-1, 1, 8, 8)  # [N, 1, 8, 8]
        x = F.gelu(self.conv1(x))  # [N, 32, 8, 8]
        x = F.gelu(self.conv2(x))  # [N, 64, 4, 4]
        x = x.flatten(1)  # [N, 1024]
        return self.linear(x)


class Projection(nn.Module):
    """Where the views are compared; thrown away afterwards.

    h: float32 [N, 128] -> float32 [N, width].
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(128, 128)
        self.linear2 = nn.Linear(128, width)

    def forward(self, h: Tensor) -> Tensor:
        x = F.gelu(self.linear1(F.gelu(h)))
        return self.linear2(x)


class Probe(nn.Module):
    """h: float32 [N, 128] -> float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.linear = nn.Linear(128, classes)

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(h)

"""Generator: Noise to the 64 pixels of an image.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """z: float32 [N, latent] -> image: float32 [N, pixels]."""

    def __init__(self, latent: int = 32, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(latent, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, pixels)

    def forward(self, z: Tensor) -> Tensor:
        x = F.leaky_relu(self.linear1(z), negative_slope=0.2)  # [N, width]
        x = F.leaky_relu(self.linear2(x), negative_slope=0.2)
        return torch.tanh(self.linear3(x))

"""Generator: 100 numbers, uniform within -1 and 1, to an image: 100-1200-1200-784.

Printed by dlspec 0.1.0 from specs/generative/gan.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """z: float32 [N, latent] -> image: float32 [N, pixels]."""

    def __init__(self, latent: int = 100, width: int = 1200, pixels: int = 784) -> None:
        super().__init__()
        self.linear1 = nn.Linear(latent, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, pixels)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.linear1(z))  # [N, width]
        x = F.relu(self.linear2(x))
        return torch.sigmoid(self.linear3(x))

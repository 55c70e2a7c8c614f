"""Discriminator: an image to the log-odds that it is real.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Discriminator(nn.Module):
    """image: float32 [N, pixels] -> real: float32 [N, 1]."""

    def __init__(self, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.dropout1 = nn.Dropout(0.3)
        self.linear2 = nn.Linear(width, width)
        self.dropout2 = nn.Dropout(0.3)
        self.linear3 = nn.Linear(width, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.dropout1(F.leaky_relu(self.linear1(image), negative_slope=0.2))
        x = self.dropout2(F.leaky_relu(self.linear2(x), negative_slope=0.2))
        return self.linear3(x)

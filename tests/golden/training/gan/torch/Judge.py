"""Judge: an image to its class.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Judge(nn.Module):
    """image: float32 [N, pixels] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 128, classes: int = 10, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.linear2 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

"""MLP.

Printed by dlspec 0.1.0 from specs/foundations/mlp.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class MLP(nn.Module):
    """image: float32 [N, pixels] -> logits: float32 [N, classes]."""

    def __init__(self, pixels: int = 784, hidden: int = 128, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, hidden)
        self.linear2 = nn.Linear(hidden, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, hidden]
        return self.linear2(x)

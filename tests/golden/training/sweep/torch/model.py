"""Perceptron.

Printed by dlspec 0.1.0 from specs/training/sweep.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Perceptron(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, hidden)
        self.linear2 = nn.Linear(hidden, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, hidden]
        return self.linear2(x)

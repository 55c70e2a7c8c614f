"""Classifier.

Printed by dlspec 0.1.0 from specs/training/updates.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Classifier(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, hidden: int = 64, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, hidden)
        self.norm1 = nn.LayerNorm(hidden)
        self.linear2 = nn.Linear(hidden, hidden)
        self.norm2 = nn.LayerNorm(hidden)
        self.linear3 = nn.Linear(hidden, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.gelu(self.norm1(self.linear1(image)))  # [N, hidden]
        x = F.gelu(self.norm2(self.linear2(x)))
        return self.linear3(x)

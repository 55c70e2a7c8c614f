"""RowAttention: Dense128 - attention over the rows - Dense10.

Printed by dlspec 0.1.0 from specs/survey/attention.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class RowAttention(nn.Module):
    """image: float32 [N, 8, 8] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 128, classes: int = 10) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.empty(8, width).normal_(0.0, 0.1))
        self.linear1 = nn.Linear(8, width)
        self.linear2 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        rows = F.relu(self.linear1(image) + self.position)  # [N, 8, width]
        seen = F.scaled_dot_product_attention(rows, rows, rows, scale=1.0)
        x = seen.mean(dim=1)  # [N, width]
        return self.linear2(x)

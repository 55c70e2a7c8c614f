"""Classifier: 64-256-256-10: a fifth of the pixels and half of the hidden units are
left out of each step, as in the paper.

Printed by dlspec 0.1.0 from specs/training/long_run.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Classifier(nn.Module):
    """image: float32 [N, pixels] -> logits: float32 [N, classes]."""

    def __init__(self, pixels: int = 64, width: int = 256, classes: int = 10) -> None:
        super().__init__()
        self.dropout1 = nn.Dropout(0.2)
        self.linear1 = nn.Linear(pixels, width)
        self.dropout2 = nn.Dropout(0.5)
        self.linear2 = nn.Linear(width, width)
        self.dropout3 = nn.Dropout(0.5)
        self.linear3 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(self.dropout1(image)))  # [N, width]
        x = F.relu(self.linear2(self.dropout2(x)))
        return self.linear3(self.dropout3(x))

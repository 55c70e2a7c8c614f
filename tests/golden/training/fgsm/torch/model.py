"""Classifier.

Printed by dlspec 0.1.0 from specs/training/fgsm.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Classifier(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 256, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        x = F.relu(self.linear2(x))
        return self.linear3(x)

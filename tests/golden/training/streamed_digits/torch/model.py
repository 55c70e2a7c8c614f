"""Classifier.

Printed by dlspec 0.1.0 from specs/training/streamed_digits.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Classifier(nn.Module):
    """image: float32 [N, 1, 8, 8] -> logits: float32 [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.linear1 = nn.Linear(1024, 64)
        self.linear2 = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)  # [N, 32, 8, 8]
        x = F.max_pool2d(x, 2)  # [N, 32, 4, 4]
        x = F.relu(self.conv2(F.relu(x)))  # [N, 64, 4, 4]
        x = x.flatten(1)  # [N, 1024]
        x = F.relu(self.linear1(x))  # [N, 64]
        return self.linear2(x)

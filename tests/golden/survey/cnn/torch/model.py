"""Classifier: Conv32 - pool - Conv64 - pool - Dense128 - Dense10.

Printed by dlspec 0.1.0 from specs/survey/cnn.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Classifier(nn.Module):
    """image: float32 [N, 1, 8, 8] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.linear1 = nn.Linear(256, 128)
        self.linear2 = nn.Linear(128, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)  # [N, 32, 8, 8]
        x = F.max_pool2d(x, 2)  # [N, 32, 4, 4]
        x = self.conv2(F.relu(x))  # [N, 64, 4, 4]
        x = F.max_pool2d(x, 2)  # [N, 64, 2, 2]
        x = F.relu(x)
        x = x.flatten(1)  # [N, 256]
        x = F.relu(self.linear1(x))  # [N, 128]
        return self.linear2(x)

"""Net.

Printed by dlspec 0.1.0 from specs/training/finetune.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Backbone(nn.Module):
    """image: float32 [N, 64] -> float32 [N, 256]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(32)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(64)

    def forward(self, image: Tensor) -> Tensor:
        x = image.reshape(-1, 1, 8, 8)  # [N, 1, 8, 8]
        x = self.norm1(self.conv1(x))  # [N, 32, 8, 8]
        x = F.max_pool2d(x, 2)  # [N, 32, 4, 4]
        x = F.relu(x)
        x = self.norm2(self.conv2(x))  # [N, 64, 4, 4]
        x = F.max_pool2d(x, 2)  # [N, 64, 2, 2]
        x = F.relu(x)
        return x.flatten(1)


class Net(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.head = nn.Linear(256, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.backbone(image)  # [N, 256]
        return self.head(x)

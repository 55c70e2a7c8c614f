"""Encoder: Log-odds of the tokens: [N, 3, 256, 256] to [N, 8192, 32, 32], between
convolutions of 7 and of 1.

Printed by dlspec 0.1.0 from specs/multimodal/dvae.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Residual(nn.Module):
    """relu and convolution four times, added to x by 1/64th, so that all 8 blocks
    together do not grow.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H, W].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels // 4, 3, padding=1)
        self.conv2 = nn.Conv2d(channels // 4, channels // 4, 3, padding=1)
        self.conv3 = nn.Conv2d(channels // 4, channels // 4, 3, padding=1)
        self.conv4 = nn.Conv2d(channels // 4, channels, 1)
        self.conv5 = None
        if in_channels != channels:
            self.conv5 = nn.Conv2d(in_channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.relu(x))  # [N, channels // 4, H, W]
        h = self.conv2(F.relu(h))
        h = self.conv3(F.relu(h))
        h = self.conv4(F.relu(h))  # [N, channels, H, W]
        skip = x if self.conv5 is None else self.conv5(x)  # [N, channels, H, W]
        return skip + 0.015625 * h


class Encoder(nn.Module):
    """image: float32 [N, 3, 256, 256] -> logits: float32 [N, tokens, 32, 32]."""

    def __init__(self, tokens: int = 8192) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 256, 7, padding=3)
        self.residual1 = Residual(256, 256)
        self.residual2 = Residual(256, 256)
        self.residual3 = Residual(256, 512)
        self.residual4 = Residual(512, 512)
        self.residual5 = Residual(512, 1024)
        self.residual6 = Residual(1024, 1024)
        self.residual7 = Residual(1024, 2048)
        self.residual8 = Residual(2048, 2048)
        self.conv2 = nn.Conv2d(2048, tokens, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)  # [N, 256, 256, 256]
        x = self.residual1(x)
        x = self.residual2(x)
        x = F.max_pool2d(x, 2)  # [N, 256, 128, 128]
        x = self.residual3(x)  # [N, 512, 128, 128]
        x = self.residual4(x)
        x = F.max_pool2d(x, 2)  # [N, 512, 64, 64]
        x = self.residual5(x)  # [N, 1024, 64, 64]
        x = self.residual6(x)
        x = F.max_pool2d(x, 2)  # [N, 1024, 32, 32]
        x = self.residual7(x)  # [N, 2048, 32, 32]
        x = self.residual8(x)
        return self.conv2(F.relu(x))

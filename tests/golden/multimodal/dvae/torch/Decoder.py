"""Decoder: From tokens, one-hot or mixtures, to six channels: mean and logarithm of
the scale of each colour.

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
        self.conv1 = nn.Conv2d(in_channels, channels // 4, 1)
        self.conv2 = nn.Conv2d(channels // 4, channels // 4, 3, padding=1)
        self.conv3 = nn.Conv2d(channels // 4, channels // 4, 3, padding=1)
        self.conv4 = nn.Conv2d(channels // 4, channels, 3, padding=1)
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


class Decoder(nn.Module):
    """z: float32 [N, tokens, 32, 32] -> drawn: float32 [N, 6, 256, 256]."""

    def __init__(self, tokens: int = 8192) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(tokens, 128, 1)
        self.residual1 = Residual(128, 2048)
        self.residual2 = Residual(2048, 2048)
        self.residual3 = Residual(2048, 1024)
        self.residual4 = Residual(1024, 1024)
        self.residual5 = Residual(1024, 512)
        self.residual6 = Residual(512, 512)
        self.residual7 = Residual(512, 256)
        self.residual8 = Residual(256, 256)
        self.conv2 = nn.Conv2d(256, 6, 1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.conv1(z)  # [N, 128, 32, 32]
        x = self.residual1(x)  # [N, 2048, 32, 32]
        x = self.residual2(x)
        x = F.interpolate(x, scale_factor=2)  # [N, 2048, 64, 64]
        x = self.residual3(x)  # [N, 1024, 64, 64]
        x = self.residual4(x)
        x = F.interpolate(x, scale_factor=2)  # [N, 1024, 128, 128]
        x = self.residual5(x)  # [N, 512, 128, 128]
        x = self.residual6(x)
        x = F.interpolate(x, scale_factor=2)  # [N, 512, 256, 256]
        x = self.residual7(x)  # [N, 256, 256, 256]
        x = self.residual8(x)
        return self.conv2(F.relu(x))

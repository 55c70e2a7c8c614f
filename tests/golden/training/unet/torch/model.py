"""UNet.

Printed by dlspec 0.1.0 from specs/training/unet.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoubleConv(nn.Module):
    """x: float32 [N, in_channels, H, W] -> float32 [N, channels, H, W]."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.norm1(self.conv1(x)))  # [N, channels, H, W]
        return F.gelu(self.norm2(self.conv2(x)))


class Up(nn.Module):
    """x: float32 [N, in_channels, H, W], across: float32 [N, dim, P, Q]
    -> float32 [N, in_channels // 2, P, Q].
    """

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.conv_transpose = nn.ConvTranspose2d(
            in_channels, in_channels // 2, 2, stride=2
        )
        self.double_conv = DoubleConv(dim + in_channels // 2, in_channels // 2)

    def forward(self, x: Tensor, across: Tensor) -> Tensor:
        x = self.conv_transpose(x)  # [N, in_channels // 2, 2 * H, 2 * W]
        x = torch.cat([across, x], dim=1)  # [N, in_channels, P, Q]
        return self.double_conv(x)


class UNet(nn.Module):
    """image: float32 [N, 1, 32, 32] -> scores: float32 [N, classes, 32, 32]."""

    def __init__(self, width: int = 8, classes: int = 4) -> None:
        super().__init__()
        self.double_conv1 = DoubleConv(1, width)
        self.double_conv2 = DoubleConv(width, 2 * width)
        self.double_conv3 = DoubleConv(2 * width, 4 * width)
        self.up1 = Up(4 * width, 2 * width)
        self.up2 = Up(2 * width, width)
        self.conv = nn.Conv2d(width, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.double_conv1(image)  # [N, width, 32, 32]
        h = F.max_pool2d(x, 2)  # [N, width, 16, 16]
        x1 = self.double_conv2(h)  # [N, 2 * width, 16, 16]
        h = F.max_pool2d(x1, 2)  # [N, 2 * width, 8, 8]
        x2 = self.double_conv3(h)  # [N, 4 * width, 8, 8]
        x1 = self.up1(x2, x1)
        x = self.up2(x1, x)
        return self.conv(x)

"""UNet.

Printed by dlspec 0.1.0 from specs/vision/unet.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoubleConv(nn.Module):
    """x: float32 [N, in_channels, H, W] -> float32 [N, channels, H - 4, W - 4]."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3)
        nn.init.kaiming_normal_(self.conv1.weight)
        self.conv2 = nn.Conv2d(channels, channels, 3)
        nn.init.kaiming_normal_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))  # [N, channels, H - 2, W - 2]
        return F.relu(self.conv2(x))


def crop(x: Tensor, like: Tensor) -> Tensor:
    """The part of x that is as large as `like`, `offset` from the top and from the
    left; from its middle where it is not given.

    x: float32 [N, C, H, W], like: float32 [N, D, P, Q] -> float32 [N, C, P, Q].
    """
    _, _, H, W = x.shape
    _, _, P, Q = like.shape
    output = x[
        :,
        :,
        -P + (H + P) // 2 : -H + (H + P) // 2,
        -Q + (Q + W) // 2 : -W + (Q + W) // 2,
    ]
    return output


class Up(nn.Module):
    """Twice the resolution and half the channels, beside what comes across.

    x: float32 [N, in_channels, H, W], across: float32 [N, dim, P, Q]
    -> float32 [N, in_channels // 2, 2 * H - 4, 2 * W - 4].
    """

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.conv_transpose = nn.ConvTranspose2d(
            in_channels, in_channels // 2, 2, stride=2
        )
        self.double_conv = DoubleConv(dim + in_channels // 2, in_channels // 2)

    def forward(self, x: Tensor, across: Tensor) -> Tensor:
        x = self.conv_transpose(x)  # [N, in_channels // 2, 2 * H, 2 * W]
        h = crop(across, x)  # [N, dim, 2 * H, 2 * W]
        h = torch.cat([h, x], dim=1)  # [N, in_channels, 2 * H, 2 * W]
        return self.double_conv(h)


class UNet(nn.Module):
    """image: float32 [N, 1, 572, 572] -> scores: float32 [N, classes, 388, 388]."""

    def __init__(self, width: int = 64, classes: int = 2, dropout: float = 0.5) -> None:
        super().__init__()
        self.double_conv1 = DoubleConv(1, width)
        self.double_conv2 = DoubleConv(width, 2 * width)
        self.double_conv3 = DoubleConv(2 * width, 4 * width)
        self.double_conv4 = DoubleConv(4 * width, 8 * width)
        self.double_conv5 = DoubleConv(8 * width, 16 * width)
        self.dropout = nn.Dropout(dropout)
        self.up1 = Up(16 * width, 8 * width)
        self.up2 = Up(8 * width, 4 * width)
        self.up3 = Up(4 * width, 2 * width)
        self.up4 = Up(2 * width, width)
        self.conv = nn.Conv2d(width, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.double_conv1(image)  # [N, width, 568, 568]
        h = F.max_pool2d(x, 2)  # [N, width, 284, 284]
        x1 = self.double_conv2(h)  # [N, 2 * width, 280, 280]
        h = F.max_pool2d(x1, 2)  # [N, 2 * width, 140, 140]
        x2 = self.double_conv3(h)  # [N, 4 * width, 136, 136]
        h = F.max_pool2d(x2, 2)  # [N, 4 * width, 68, 68]
        x3 = self.double_conv4(h)  # [N, 8 * width, 64, 64]
        h = F.max_pool2d(x3, 2)  # [N, 8 * width, 32, 32]
        x4 = self.double_conv5(h)  # [N, 16 * width, 28, 28]
        x4 = self.dropout(x4)
        x3 = self.up1(x4, x3)  # [N, 8 * width, 52, 52]
        x2 = self.up2(x3, x2)  # [N, 4 * width, 100, 100]
        x1 = self.up3(x2, x1)  # [N, 2 * width, 196, 196]
        x = self.up4(x1, x)  # [N, width, 388, 388]
        return self.conv(x)

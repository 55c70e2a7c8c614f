"""Discriminator: an image to the log-odds that it is real: the generator's mirror
image, without normalisation at the edges.

Printed by dlspec 0.1.0 from specs/generative/dcgan.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Down(nn.Module):
    """Half the size.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H // 2, W // 2].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 4, stride=2, padding=1, bias=False)
        nn.init.normal_(self.conv.weight, std=0.02)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x)), negative_slope=0.2)


class Discriminator(nn.Module):
    """image: float32 [N, 3, 64, 64] -> real: float32 [N, 1]."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 4, stride=2, padding=1, bias=False)
        nn.init.normal_(self.conv1.weight, std=0.02)
        self.down1 = Down(width, 2 * width)
        self.down2 = Down(2 * width, 4 * width)
        self.down3 = Down(4 * width, 8 * width)
        self.conv2 = nn.Conv2d(8 * width, 1, 4, bias=False)
        nn.init.normal_(self.conv2.weight, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(image), negative_slope=0.2)  # [N, width, 32, 32]
        x = self.down1(x)  # [N, 2 * width, 16, 16]
        x = self.down2(x)  # [N, 4 * width, 8, 8]
        x = self.down3(x)  # [N, 8 * width, 4, 4]
        x = self.conv2(x)  # [N, 1, 1, 1]
        return x.flatten(1)

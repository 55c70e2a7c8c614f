"""Generator: 100 numbers, standard normal, to an image of 4 -> 8 -> 16 -> 32 -> 64
pixels a side.

Printed by dlspec 0.1.0 from specs/generative/dcgan.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Up(nn.Module):
    """Twice the size: [N, C, H, W] to [N, channels, 2 H, 2 W].

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, 2 * H, 2 * W].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_transpose = nn.ConvTranspose2d(
            in_channels, channels, 4, stride=2, padding=1, bias=False
        )
        nn.init.normal_(self.conv_transpose.weight, std=0.02)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv_transpose(x)))


class Generator(nn.Module):
    """z: float32 [N, latent] -> image: float32 [N, 3, 64, 64]."""

    def __init__(self, latent: int = 100, width: int = 64) -> None:
        super().__init__()
        self.conv_transpose1 = nn.ConvTranspose2d(latent, 8 * width, 4, bias=False)
        nn.init.normal_(self.conv_transpose1.weight, std=0.02)
        self.norm = nn.BatchNorm2d(8 * width)
        self.up1 = Up(8 * width, 4 * width)
        self.up2 = Up(4 * width, 2 * width)
        self.up3 = Up(2 * width, width)
        self.conv_transpose2 = nn.ConvTranspose2d(
            width, 3, 4, stride=2, padding=1, bias=False
        )
        nn.init.normal_(self.conv_transpose2.weight, std=0.02)

    def forward(self, z: Tensor) -> Tensor:
        x = z[:, :, None, None]  # [N, latent, 1, 1]
        x = F.relu(self.norm(self.conv_transpose1(x)))  # [N, 8 * width, 4, 4]
        x = self.up1(x)  # [N, 4 * width, 8, 8]
        x = self.up2(x)  # [N, 2 * width, 16, 16]
        x = self.up3(x)  # [N, width, 32, 32]
        return torch.tanh(self.conv_transpose2(x))

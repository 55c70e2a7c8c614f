"""StyleNet.

Printed by dlspec 0.1.0 from specs/vision/style.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Conv(nn.Module):
    """A convolution over the image, whose edge is repeated.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H'', W''].
    """

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.conv = nn.Conv2d(in_channels, channels, kernel, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(
            x,
            (self.kernel // 2, self.kernel // 2, self.kernel // 2, self.kernel // 2),
            mode="replicate",
        )
        return self.conv(x)


class Residual(nn.Module):
    """x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H, W]."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = Conv(in_channels, in_channels, kernel=3)
        self.norm1 = nn.InstanceNorm2d(in_channels, affine=True)
        self.conv2 = Conv(in_channels, in_channels, kernel=3)
        self.norm2 = nn.InstanceNorm2d(in_channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.conv1(x)))
        return x + self.norm2(self.conv2(h))


class Up(nn.Module):
    """Twice the resolution.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, 2 * H, 2 * W].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv_transpose = nn.ConvTranspose2d(
            in_channels, channels, 3, stride=2, padding=1, output_padding=1
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_transpose(x)


class StyleNet(nn.Module):
    """image: float32 [N, 3, 256, 256] -> drawn: float32 [N, 3, 256, 256]."""

    def __init__(self, width: int = 32, depth: int = 5) -> None:
        super().__init__()
        self.conv1 = Conv(3, width, kernel=9)
        self.norm1 = nn.InstanceNorm2d(width, affine=True)
        self.conv2 = Conv(width, 2 * width, kernel=3, stride=2)
        self.norm2 = nn.InstanceNorm2d(2 * width, affine=True)
        self.conv3 = Conv(2 * width, 4 * width, kernel=3, stride=2)
        self.norm3 = nn.InstanceNorm2d(4 * width, affine=True)
        self.residuals = nn.Sequential(*[Residual(4 * width) for _ in range(depth)])
        self.up1 = Up(4 * width, 2 * width)
        self.norm4 = nn.InstanceNorm2d(2 * width, affine=True)
        self.up2 = Up(2 * width, width)
        self.norm5 = nn.InstanceNorm2d(width, affine=True)
        self.conv4 = Conv(width, 3, kernel=3)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.norm1(self.conv1(image)))  # [N, width, 256, 256]
        x = F.relu(self.norm2(self.conv2(x)))  # [N, 2 * width, 128, 128]
        x = F.relu(self.norm3(self.conv3(x)))  # [N, 4 * width, 64, 64]
        x = self.residuals(x)
        x = F.relu(self.norm4(self.up1(x)))  # [N, 2 * width, 128, 128]
        x = F.relu(self.norm5(self.up2(x)))  # [N, width, 256, 256]
        return self.conv4(x)

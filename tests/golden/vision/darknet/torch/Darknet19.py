"""Darknet19.

Printed by dlspec 0.1.0 from specs/vision/darknet.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class DarknetConv(nn.Module):
    """A convolution, its normalisation, and a ReLU that leaks a tenth. Darknet's own
    eps is 1e-6, added to the standard deviation; 1e-5 is added to the variance
    here.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            channels,
            kernel,
            stride=stride,
            padding=kernel // 2,
            bias=False,
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x)), negative_slope=0.1)


class DarknetStage(nn.Module):
    """Convolutions of 3x3 and 1x1 in turn: 3x3 up to `channels`, 1x1 down to half as
    many, and again up; `depth` in all.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, channels, H, W].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.darknet_conv = DarknetConv(in_channels, channels, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        return self.darknet_conv(x)


class DarknetStage2(nn.Module):
    """Convolutions of 3x3 and 1x1 in turn: 3x3 up to `channels`, 1x1 down to half as
    many, and again up; `depth` in all.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, channels, H, W].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.darknet_conv1 = DarknetConv(in_channels, channels, kernel=3)
        self.darknet_conv2 = DarknetConv(channels, channels // 2, kernel=1)
        self.darknet_conv3 = DarknetConv(channels // 2, channels, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.darknet_conv1(x)  # [N, channels, H, W]
        x = self.darknet_conv2(x)  # [N, channels // 2, H, W]
        return self.darknet_conv3(x)


class DarknetStage3(nn.Module):
    """Convolutions of 3x3 and 1x1 in turn: 3x3 up to `channels`, 1x1 down to half as
    many, and again up; `depth` in all.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, channels, H, W].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.darknet_conv1 = DarknetConv(in_channels, channels, kernel=3)
        self.darknet_conv2 = DarknetConv(channels, channels // 2, kernel=1)
        self.darknet_conv3 = DarknetConv(channels // 2, channels, kernel=3)
        self.darknet_conv4 = DarknetConv(channels, channels // 2, kernel=1)
        self.darknet_conv5 = DarknetConv(channels // 2, channels, kernel=3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.darknet_conv1(x)  # [N, channels, H, W]
        x = self.darknet_conv2(x)  # [N, channels // 2, H, W]
        x = self.darknet_conv3(x)  # [N, channels, H, W]
        x = self.darknet_conv4(x)  # [N, channels // 2, H, W]
        return self.darknet_conv5(x)


class Darknet19Trunk(nn.Module):
    """The convolutions of Darknet-19 but the last, with a halving before each stage
    but the first: 1/32 of the side, 18 layers. The second output is the last
    before the last halving (1/16), which YOLOv2 leads past.

    x: float32 [N, in_channels, H, W]
    -> coarse: float32 [N, 32 * width, H'''', W''''], fine: float32 [N, 16 *
    width, H''', W'''].
    """

    def __init__(self, in_channels: int, width: int = 32) -> None:
        super().__init__()
        self.darknet_stage1 = DarknetStage(in_channels, width)
        self.darknet_stage2 = DarknetStage(width, 2 * width)
        self.darknet_stage3 = DarknetStage2(2 * width, 4 * width)
        self.darknet_stage4 = DarknetStage2(4 * width, 8 * width)
        self.darknet_stage5 = DarknetStage3(8 * width, 16 * width)
        self.darknet_stage6 = DarknetStage3(16 * width, 32 * width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.darknet_stage1(x)  # [N, width, H, W]
        x = F.max_pool2d(x, 2)  # [N, width, H // 2, W // 2]
        x = self.darknet_stage2(x)  # [N, 2 * width, H // 2, W // 2]
        x = F.max_pool2d(x, 2)  # [N, 2 * width, H', W']
        x = self.darknet_stage3(x)  # [N, 4 * width, H', W']
        x = F.max_pool2d(x, 2)  # [N, 4 * width, H'', W'']
        x = self.darknet_stage4(x)  # [N, 8 * width, H'', W'']
        x = F.max_pool2d(x, 2)  # [N, 8 * width, H''', W''']
        x = self.darknet_stage5(x)  # [N, 16 * width, H''', W''']
        h = F.max_pool2d(x, 2)  # [N, 16 * width, H'''', W'''']
        coarse = self.darknet_stage6(h)  # [N, 32 * width, H'''', W'''']
        return coarse, x


class Darknet19(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000, width: int = 32) -> None:
        super().__init__()
        self.darknet19_trunk = Darknet19Trunk(3, width=width)
        self.conv = nn.Conv2d(32 * width, classes, 1)

    def forward(self, image: Tensor) -> Tensor:
        x, _ = self.darknet19_trunk(image)
        x = self.conv(x)  # [N, classes, 7, 7]
        return x.mean(dim=(2, 3))

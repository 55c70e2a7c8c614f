"""ResNet50.

Printed by dlspec 0.1.0 from specs/vision/resnet.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class ConvBN(nn.Module):
    """A convolution and its normalisation, padded so that only the stride makes the
    image smaller: alike on all sides, or with `padding = "same"` as TensorFlow
    does. It has no bias, as normalisation would take it away again.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: int,
        padding: int,
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, stride=stride, padding=padding, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Bottleneck(nn.Module):
    """1x1 down to `width`, 3x3, and 1x1 up to four times as many channels. The 3x3
    convolution takes the stride, as in later versions; with `stride_first` the
    first does, as published.

    x: float32 [N, in_channels, H, W] -> float32 [N, 4 * width, H', W'].
    """

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(in_channels, width, kernel=1, padding=0)
        self.conv_bn2 = ConvBN(width, width, kernel=3, padding=1, stride=stride)
        self.conv_bn3 = ConvBN(width, 4 * width, kernel=1, padding=0)
        self.project = None
        if stride != 1 or in_channels != 4 * width:
            self.project = ConvBN(
                in_channels, 4 * width, kernel=1, padding=0, stride=stride
            )

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.conv_bn1(x))  # [N, width, H, W]
        h = F.relu(self.conv_bn2(h))  # [N, width, H', W']
        main = self.conv_bn3(h)  # [N, 4 * width, H', W']
        skip = x if self.project is None else self.project(x)
        return F.relu(main + skip)


class Stage(nn.Module):
    """`depth` residual blocks, of which the first has the stride.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, 4 * width, H', W'].
    """

    def __init__(
        self, in_channels: int, width: int, depth: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.bottleneck = Bottleneck(in_channels, width, stride=stride)
        self.bottlenecks = nn.Sequential(
            *[Bottleneck(4 * width, width) for _ in range(depth - 1)]
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.bottleneck(x)  # [N, 4 * width, H', W']
        return self.bottlenecks(x)


class Stages(nn.Module):
    """Stages of residual blocks, `depths` of them in each: every stage is twice as
    wide as the one before, on half the side.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, 32 * width, H''', W'''].
    """

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__()
        self.stage1 = Stage(in_channels, width, depth=3)
        self.stage2 = Stage(4 * width, 2 * width, depth=4, stride=2)
        self.stage3 = Stage(8 * width, 4 * width, depth=6, stride=2)
        self.stage4 = Stage(16 * width, 8 * width, depth=3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage1(x)  # [N, 4 * width, H, W]
        x = self.stage2(x)  # [N, 8 * width, H', W']
        x = self.stage3(x)  # [N, 16 * width, H'', W'']
        return self.stage4(x)


class ResNet50(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv_bn = ConvBN(3, 64, kernel=7, padding=3, stride=2)
        self.stages = Stages(64)
        self.linear = nn.Linear(2048, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv_bn(image))  # [N, 64, 112, 112]
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # [N, 64, 56, 56]
        x = self.stages(x)  # [N, 2048, 7, 7]
        x = x.mean(dim=(2, 3))  # [N, 2048]
        return self.linear(x)

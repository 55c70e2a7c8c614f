"""SimCLR.

Printed by dlspec 0.1.0 from specs/adaptation/simclr.dls.
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


class Encoder(nn.Module):
    """ResNet-50 without its classifier: [N, 3, H, W] to [N, 2048].

    image: float32 [N, in_channels, H, W] -> float32 [N, 32 * width].
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv_bn = ConvBN(in_channels, width, kernel=7, padding=3, stride=2)
        self.stages = Stages(width, width=width)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv_bn(image))  # [N, width, H', W']
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # [N, width, H'', W'']
        x = self.stages(x)  # [N, 32 * width, H''', W''']
        return x.mean(dim=(2, 3))


class ProjectionHead(nn.Module):
    """The hidden layer is as wide as what comes in.

    h: float32 [N, dim] -> float32 [N, 128].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, dim, bias=False)
        self.linear2 = nn.Linear(dim, 128, bias=False)

    def forward(self, h: Tensor) -> Tensor:
        x = F.relu(self.linear1(h))
        return self.linear2(x)


class SimCLR(nn.Module):
    """first: float32 [N, 3, 224, 224], second: float32 [N, 3, 224, 224]
    -> a: float32 [N, 128], b: float32 [N, 128].
    """

    def __init__(self) -> None:
        super().__init__()
        self.encode = Encoder(3, 64)
        self.project = ProjectionHead(2048)

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        x = self.encode(first)  # [N, 2048]
        a = self.project(x)  # [N, 128]
        x = self.encode(second)  # [N, 2048]
        b = self.project(x)  # [N, 128]
        return a, b

"""ResNet18.

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


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around which the input is led.

    x: float32 [N, in_channels, H, W] -> float32 [N, width, H', W'].
    """

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(in_channels, width, kernel=3, padding=1, stride=stride)
        self.conv_bn2 = ConvBN(width, width, kernel=3, padding=1)
        self.project = None
        if stride != 1 or in_channels != width:
            self.project = ConvBN(
                in_channels, width, kernel=1, padding=0, stride=stride
            )

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.conv_bn1(x))  # [N, width, H', W']
        main = self.conv_bn2(h)
        skip = x if self.project is None else self.project(x)  # [N, width, H'', W'']
        return F.relu(main + skip)


class Stage(nn.Module):
    """`depth` residual blocks, of which the first has the stride.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, width, H', W'].
    """

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.basic_block1 = BasicBlock(in_channels, width, stride=stride)
        self.basic_block2 = BasicBlock(width, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.basic_block1(x)  # [N, width, H', W']
        return self.basic_block2(x)


class Stages(nn.Module):
    """Stages of residual blocks, `depths` of them in each: every stage is twice as
    wide as the one before, on half the side.

    x: float32 [N, in_channels, H, W] -> x: float32 [N, 8 * width, H''', W'''].
    """

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__()
        self.stage1 = Stage(in_channels, width)
        self.stage2 = Stage(width, 2 * width, stride=2)
        self.stage3 = Stage(2 * width, 4 * width, stride=2)
        self.stage4 = Stage(4 * width, 8 * width, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stage1(x)  # [N, width, H, W]
        x = self.stage2(x)  # [N, 2 * width, H', W']
        x = self.stage3(x)  # [N, 4 * width, H'', W'']
        return self.stage4(x)


class ResNet18(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv_bn = ConvBN(3, 64, kernel=7, padding=3, stride=2)
        self.stages = Stages(64)
        self.linear = nn.Linear(512, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv_bn(image))  # [N, 64, 112, 112]
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # [N, 64, 56, 56]
        x = self.stages(x)  # [N, 512, 7, 7]
        x = x.mean(dim=(2, 3))  # [N, 512]
        return self.linear(x)

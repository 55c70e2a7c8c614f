"""GoogLeNet.

Printed by dlspec 0.1.0 from specs/vision/googlenet.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ConvRelu(nn.Module):
    """A convolution and its ReLU, padded so that only the stride makes the image
    smaller.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(
        self, in_channels: int, channels: int, kernel: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, stride=stride, padding=kernel // 2
        )
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


def halve(x: Tensor) -> Tensor:
    """Half the side, rounded up.

    x: float32 [N, C, H, W] -> float32 [N, C, H', W'].
    """
    return F.max_pool2d(x, 3, stride=2, ceil_mode=True)


class Inception(nn.Module):
    """GoogLeNet's (Szegedy, Liu, Jia et al. 2014, "Going deeper with convolutions",
    figure 2b). The arguments are the columns of the paper's table 1: filters of
    1x1; of 3x3 and of the 1x1 that reduces before it; of 5x5 likewise; after the
    pooling.

    x: float32 [N, in_channels, H, W]
    -> float32 [N, five + one + pool + three, H, W].
    """

    def __init__(
        self,
        in_channels: int,
        one: int,
        reduce3: int,
        three: int,
        reduce5: int,
        five: int,
        pool: int,
    ) -> None:
        super().__init__()
        self.conv_relu1 = ConvRelu(in_channels, one, kernel=1)
        self.conv_relu2 = ConvRelu(in_channels, reduce3, kernel=1)
        self.conv_relu3 = ConvRelu(reduce3, three, kernel=3)
        self.conv_relu4 = ConvRelu(in_channels, reduce5, kernel=1)
        self.conv_relu5 = ConvRelu(reduce5, five, kernel=5)
        self.conv_relu6 = ConvRelu(in_channels, pool, kernel=1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.conv_relu1(x)  # [N, one, H, W]
        h = self.conv_relu2(x)  # [N, reduce3, H, W]
        b = self.conv_relu3(h)  # [N, three, H, W]
        h = self.conv_relu4(x)  # [N, reduce5, H, W]
        c = self.conv_relu5(h)  # [N, five, H, W]
        d = self.conv_relu6(F.max_pool2d(x, 3, stride=1, padding=1))  # [N, pool, H, W]
        return torch.cat([a, b, c, d], dim=1)


class GoogLeNet(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000, dropout: float = 0.4) -> None:
        super().__init__()
        self.conv_relu1 = ConvRelu(3, 64, kernel=7, stride=2)
        self.conv_relu2 = ConvRelu(64, 64, kernel=1)
        self.conv_relu3 = ConvRelu(64, 192, kernel=3)
        self.inception1 = Inception(
            192, 64, reduce3=96, three=128, reduce5=16, five=32, pool=32
        )
        self.inception2 = Inception(
            256, 128, reduce3=128, three=192, reduce5=32, five=96, pool=64
        )
        self.inception3 = Inception(
            480, 192, reduce3=96, three=208, reduce5=16, five=48, pool=64
        )
        self.inception4 = Inception(
            512, 160, reduce3=112, three=224, reduce5=24, five=64, pool=64
        )
        self.inception5 = Inception(
            512, 128, reduce3=128, three=256, reduce5=24, five=64, pool=64
        )
        self.inception6 = Inception(
            512, 112, reduce3=144, three=288, reduce5=32, five=64, pool=64
        )
        self.inception7 = Inception(
            528, 256, reduce3=160, three=320, reduce5=32, five=128, pool=128
        )
        self.inception8 = Inception(
            832, 256, reduce3=160, three=320, reduce5=32, five=128, pool=128
        )
        self.inception9 = Inception(
            832, 384, reduce3=192, three=384, reduce5=48, five=128, pool=128
        )
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(1024, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv_relu1(image)  # [N, 64, 112, 112]
        x = F.local_response_norm(halve(x), 5)  # [N, 64, 56, 56]
        x = self.conv_relu2(x)
        x = F.local_response_norm(self.conv_relu3(x), 5)  # [N, 192, 56, 56]
        x = halve(x)  # [N, 192, 28, 28]
        x = self.inception1(x)  # [N, 256, 28, 28]
        x = self.inception2(x)  # [N, 480, 28, 28]
        x = halve(x)  # [N, 480, 14, 14]
        x = self.inception3(x)  # [N, 512, 14, 14]
        x = self.inception4(x)
        x = self.inception5(x)
        x = self.inception6(x)  # [N, 528, 14, 14]
        x = self.inception7(x)  # [N, 832, 14, 14]
        x = halve(x)  # [N, 832, 7, 7]
        x = self.inception8(x)
        x = self.inception9(x)  # [N, 1024, 7, 7]
        return self.linear(self.dropout(x.mean(dim=(2, 3))))

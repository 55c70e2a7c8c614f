"""MobileNetV2: With `same`, padding is as in the authors' TensorFlow; without, alike
on all sides as in torchvision.

Printed by dlspec 0.1.0 from specs/vision/mobilenet_v2.dls.
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
        groups: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels,
            channels,
            kernel,
            stride=stride,
            padding=padding,
            groups=groups,
            bias=False,
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class InvertedResidual(nn.Module):
    """Wide inside, narrow outside: 1x1 up to `expand` times as many channels, a
    convolution of each channel for itself, 1x1 down to `channels`, without an
    activation at the end; with a shortcut where the shapes allow it (Sandler et
    al. 2018, "MobileNetV2"). EfficientNet's (MBConv) weighs the wide channels
    with a bottleneck of a `squeeze`th of the input's, and leaves the branch out
    in training with probability `drop`.

    x: float32 [N, in_channels, H, W] -> y: float32 [N, channels, H', W'].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        expand: int,
        padding: int,
        stride: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(
            in_channels,
            in_channels * expand,
            kernel=3,
            padding=padding,
            stride=stride,
            groups=in_channels * expand,
            eps=eps,
        )
        self.conv_bn2 = ConvBN(
            in_channels * expand, channels, kernel=1, padding=0, eps=eps
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu6(self.conv_bn1(x))  # [N, in_channels * expand, H', W']
        return self.conv_bn2(y)


class InvertedResidual2(nn.Module):
    """Wide inside, narrow outside: 1x1 up to `expand` times as many channels, a
    convolution of each channel for itself, 1x1 down to `channels`, without an
    activation at the end; with a shortcut where the shapes allow it (Sandler et
    al. 2018, "MobileNetV2"). EfficientNet's (MBConv) weighs the wide channels
    with a bottleneck of a `squeeze`th of the input's, and leaves the branch out
    in training with probability `drop`.

    x: float32 [N, in_channels, H, W] -> y: float32 [N, in_channels, H, W].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        expand: int,
        padding: int,
        stride: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.channels = channels
        self.conv_bn1 = ConvBN(
            in_channels, in_channels * expand, kernel=1, padding=0, eps=eps
        )
        self.conv_bn2 = ConvBN(
            in_channels * expand,
            in_channels * expand,
            kernel=3,
            padding=padding,
            stride=stride,
            groups=in_channels * expand,
            eps=eps,
        )
        self.conv_bn3 = ConvBN(
            in_channels * expand, channels, kernel=1, padding=0, eps=eps
        )

    def forward(self, x: Tensor) -> Tensor:
        C = x.shape[1]
        y = F.relu6(self.conv_bn1(x))  # [N, in_channels * expand, H, W]
        y = F.relu6(self.conv_bn2(y))  # [N, in_channels * expand, H', W']
        y = self.conv_bn3(y)  # [N, channels, H', W']
        if self.stride == 1 and C == self.channels:
            y = x + y
        return y


class MobileNetV2(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self,
        classes: int = 1000,
        head: int = 1280,
        dropout: float = 0.2,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(3, 32, kernel=3, padding=1, stride=2, eps=eps)
        self.inverted_residual1 = InvertedResidual(32, 16, expand=1, padding=1, eps=eps)
        self.inverted_residual2 = InvertedResidual2(
            16, 24, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual3 = InvertedResidual2(
            24, 24, expand=6, padding=1, eps=eps
        )
        self.inverted_residual4 = InvertedResidual2(
            24, 32, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual5 = InvertedResidual2(
            32, 32, expand=6, padding=1, eps=eps
        )
        self.inverted_residual6 = InvertedResidual2(
            32, 32, expand=6, padding=1, eps=eps
        )
        self.inverted_residual7 = InvertedResidual2(
            32, 64, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual8 = InvertedResidual2(
            64, 64, expand=6, padding=1, eps=eps
        )
        self.inverted_residual9 = InvertedResidual2(
            64, 64, expand=6, padding=1, eps=eps
        )
        self.inverted_residual10 = InvertedResidual2(
            64, 64, expand=6, padding=1, eps=eps
        )
        self.inverted_residual11 = InvertedResidual2(
            64, 96, expand=6, padding=1, eps=eps
        )
        self.inverted_residual12 = InvertedResidual2(
            96, 96, expand=6, padding=1, eps=eps
        )
        self.inverted_residual13 = InvertedResidual2(
            96, 96, expand=6, padding=1, eps=eps
        )
        self.inverted_residual14 = InvertedResidual2(
            96, 160, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual15 = InvertedResidual2(
            160, 160, expand=6, padding=1, eps=eps
        )
        self.inverted_residual16 = InvertedResidual2(
            160, 160, expand=6, padding=1, eps=eps
        )
        self.inverted_residual17 = InvertedResidual2(
            160, 320, expand=6, padding=1, eps=eps
        )
        self.conv_bn2 = ConvBN(320, head, kernel=1, padding=0, eps=eps)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(head, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu6(self.conv_bn1(image))  # [N, 32, 112, 112]
        x = self.inverted_residual1(x)  # [N, 16, 112, 112]
        x = self.inverted_residual2(x)  # [N, 24, 56, 56]
        x = self.inverted_residual3(x)
        x = self.inverted_residual4(x)  # [N, 32, 28, 28]
        x = self.inverted_residual5(x)
        x = self.inverted_residual6(x)
        x = self.inverted_residual7(x)  # [N, 64, 14, 14]
        x = self.inverted_residual8(x)
        x = self.inverted_residual9(x)
        x = self.inverted_residual10(x)
        x = self.inverted_residual11(x)  # [N, 96, 14, 14]
        x = self.inverted_residual12(x)
        x = self.inverted_residual13(x)
        x = self.inverted_residual14(x)  # [N, 160, 7, 7]
        x = self.inverted_residual15(x)
        x = self.inverted_residual16(x)
        x = self.inverted_residual17(x)  # [N, 320, 7, 7]
        x = F.relu6(self.conv_bn2(x))  # [N, head, 7, 7]
        return self.linear(self.dropout(x.mean(dim=(2, 3))))

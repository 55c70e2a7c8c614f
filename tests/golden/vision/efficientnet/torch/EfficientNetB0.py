"""EfficientNetB0: `drop` is how often the last block is left out in training; earlier
ones are less often, in proportion. With `same`, padding is as in the authors'
TensorFlow; without, alike on all sides as in torchvision.

Printed by dlspec 0.1.0 from specs/vision/efficientnet.dls.
"""

import torch
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


class SqueezeExcite(nn.Module):
    """Every channel weighed by what all channels hold on average, through a
    bottleneck of `width` (Hu, Shen and Sun 2017, "Squeeze-and-excitation
    networks").

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H, W].
    """

    def __init__(self, in_channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 1)
        self.conv2 = nn.Conv2d(width, in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x.mean(dim=(2, 3), keepdim=True)  # [N, in_channels, 1, 1]
        h = F.silu(self.conv1(h))  # [N, width, 1, 1]
        weights = torch.sigmoid(self.conv2(h))  # [N, in_channels, 1, 1]
        return x * weights


class StochasticDepth(nn.Module):
    """A branch beside a shortcut that in training is left out for an example with
    probability `p`, and scaled up otherwise (Huang, Sun, Liu, Sedra and
    Weinberger 2016, "Deep networks with stochastic depth").

    x: float32 [N, C, H, W] -> float32 [N, C, H, W].
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(p)

    def forward(self, x: Tensor) -> Tensor:
        N = x.shape[0]
        h = torch.ones((N, 1, 1, 1), dtype=torch.float32, device=x.device)
        kept = self.dropout(h)
        return x * kept


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
        kernel: int = 3,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(
            in_channels,
            in_channels * expand,
            kernel,
            padding,
            stride=stride,
            groups=in_channels * expand,
            eps=eps,
        )
        self.squeeze_excite = SqueezeExcite(in_channels * expand, 8)
        self.conv_bn2 = ConvBN(
            in_channels * expand, channels, kernel=1, padding=0, eps=eps
        )

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.conv_bn1(x))  # [N, in_channels * expand, H', W']
        y = self.squeeze_excite(y)
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
        width: int,
        with_stochastic_depth: bool,
        stride: int = 1,
        kernel: int = 3,
        drop: float = 0,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(
            in_channels, in_channels * expand, kernel=1, padding=0, eps=eps
        )
        self.conv_bn2 = ConvBN(
            in_channels * expand,
            in_channels * expand,
            kernel,
            padding,
            stride=stride,
            groups=in_channels * expand,
            eps=eps,
        )
        self.squeeze_excite = SqueezeExcite(in_channels * expand, width)
        self.conv_bn3 = ConvBN(
            in_channels * expand, channels, kernel=1, padding=0, eps=eps
        )
        self.stochastic_depth = None
        if with_stochastic_depth:
            self.stochastic_depth = StochasticDepth(drop)

    def forward(self, x: Tensor) -> Tensor:
        y = F.silu(self.conv_bn1(x))  # [N, in_channels * expand, H, W]
        y = F.silu(self.conv_bn2(y))  # [N, in_channels * expand, H', W']
        y = self.squeeze_excite(y)
        y = self.conv_bn3(y)  # [N, channels, H', W']
        if self.stochastic_depth is not None:
            y = x + self.stochastic_depth(y)
        return y


class EfficientNetB0(nn.Module):
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
            16,
            24,
            expand=6,
            padding=1,
            width=4,
            with_stochastic_depth=False,
            stride=2,
            drop=0.0125,
            eps=eps,
        )
        self.inverted_residual3 = InvertedResidual2(
            24,
            24,
            expand=6,
            padding=1,
            width=6,
            with_stochastic_depth=True,
            drop=0.025,
            eps=eps,
        )
        self.inverted_residual4 = InvertedResidual2(
            24,
            40,
            expand=6,
            padding=2,
            width=6,
            with_stochastic_depth=False,
            stride=2,
            kernel=5,
            drop=0.037500000000000006,
            eps=eps,
        )
        self.inverted_residual5 = InvertedResidual2(
            40,
            40,
            expand=6,
            padding=2,
            width=10,
            with_stochastic_depth=True,
            kernel=5,
            drop=0.05,
            eps=eps,
        )
        self.inverted_residual6 = InvertedResidual2(
            40,
            80,
            expand=6,
            padding=1,
            width=10,
            with_stochastic_depth=False,
            stride=2,
            drop=0.0625,
            eps=eps,
        )
        self.inverted_residual7 = InvertedResidual2(
            80,
            80,
            expand=6,
            padding=1,
            width=20,
            with_stochastic_depth=True,
            drop=0.07500000000000001,
            eps=eps,
        )
        self.inverted_residual8 = InvertedResidual2(
            80,
            80,
            expand=6,
            padding=1,
            width=20,
            with_stochastic_depth=True,
            drop=0.08750000000000001,
            eps=eps,
        )
        self.inverted_residual9 = InvertedResidual2(
            80,
            112,
            expand=6,
            padding=2,
            width=20,
            with_stochastic_depth=False,
            kernel=5,
            drop=0.1,
            eps=eps,
        )
        self.inverted_residual10 = InvertedResidual2(
            112,
            112,
            expand=6,
            padding=2,
            width=28,
            with_stochastic_depth=True,
            kernel=5,
            drop=0.1125,
            eps=eps,
        )
        self.inverted_residual11 = InvertedResidual2(
            112,
            112,
            expand=6,
            padding=2,
            width=28,
            with_stochastic_depth=True,
            kernel=5,
            drop=0.125,
            eps=eps,
        )
        self.inverted_residual12 = InvertedResidual2(
            112,
            192,
            expand=6,
            padding=2,
            width=28,
            with_stochastic_depth=False,
            stride=2,
            kernel=5,
            drop=0.1375,
            eps=eps,
        )
        self.inverted_residual13 = InvertedResidual2(
            192,
            192,
            expand=6,
            padding=2,
            width=48,
            with_stochastic_depth=True,
            kernel=5,
            drop=0.15000000000000002,
            eps=eps,
        )
        self.inverted_residual14 = InvertedResidual2(
            192,
            192,
            expand=6,
            padding=2,
            width=48,
            with_stochastic_depth=True,
            kernel=5,
            drop=0.1625,
            eps=eps,
        )
        self.inverted_residual15 = InvertedResidual2(
            192,
            192,
            expand=6,
            padding=2,
            width=48,
            with_stochastic_depth=True,
            kernel=5,
            drop=0.17500000000000002,
            eps=eps,
        )
        self.inverted_residual16 = InvertedResidual2(
            192,
            320,
            expand=6,
            padding=1,
            width=48,
            with_stochastic_depth=False,
            drop=0.1875,
            eps=eps,
        )
        self.conv_bn2 = ConvBN(320, head, kernel=1, padding=0, eps=eps)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(head, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.silu(self.conv_bn1(image))  # [N, 32, 112, 112]
        x = self.inverted_residual1(x)  # [N, 16, 112, 112]
        x = self.inverted_residual2(x)  # [N, 24, 56, 56]
        x = self.inverted_residual3(x)
        x = self.inverted_residual4(x)  # [N, 40, 28, 28]
        x = self.inverted_residual5(x)
        x = self.inverted_residual6(x)  # [N, 80, 14, 14]
        x = self.inverted_residual7(x)
        x = self.inverted_residual8(x)
        x = self.inverted_residual9(x)  # [N, 112, 14, 14]
        x = self.inverted_residual10(x)
        x = self.inverted_residual11(x)
        x = self.inverted_residual12(x)  # [N, 192, 7, 7]
        x = self.inverted_residual13(x)
        x = self.inverted_residual14(x)
        x = self.inverted_residual15(x)
        x = self.inverted_residual16(x)  # [N, 320, 7, 7]
        x = F.silu(self.conv_bn2(x))  # [N, head, 7, 7]
        return self.linear(self.dropout(x.mean(dim=(2, 3))))

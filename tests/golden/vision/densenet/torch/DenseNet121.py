"""DenseNet121.

Printed by dlspec 0.1.0 from specs/vision/densenet.dls.
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
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, stride=stride, padding=padding, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class PreConv(nn.Module):
    """Normalisation, ReLU, and only then the convolution.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(
        self, in_channels: int, channels: int, kernel: int, eps: float
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels, eps=eps)
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, padding=kernel // 2, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.relu(self.norm(x)))


class DenseLayer(nn.Module):
    """What comes in, and `growth` new channels.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels + growth, H, W].
    """

    def __init__(self, in_channels: int, growth: int, eps: float) -> None:
        super().__init__()
        self.pre_conv1 = PreConv(in_channels, 4 * growth, kernel=1, eps=eps)
        self.pre_conv2 = PreConv(4 * growth, growth, kernel=3, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        h = self.pre_conv1(x)  # [N, 4 * growth, H, W]
        new = self.pre_conv2(h)  # [N, growth, H, W]
        return torch.cat([x, new], dim=1)


class DenseBlock(nn.Module):
    """x: float32 [N, in_channels, H, W]
    -> x: float32 [N, in_channels + 6 * growth, H, W].
    """

    def __init__(self, in_channels: int, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(in_channels, growth, eps)
        self.dense_layer2 = DenseLayer(in_channels + growth, growth, eps)
        self.dense_layer3 = DenseLayer(in_channels + 2 * growth, growth, eps)
        self.dense_layer4 = DenseLayer(in_channels + 3 * growth, growth, eps)
        self.dense_layer5 = DenseLayer(in_channels + 4 * growth, growth, eps)
        self.dense_layer6 = DenseLayer(in_channels + 5 * growth, growth, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dense_layer1(x)  # [N, in_channels + growth, H, W]
        x = self.dense_layer2(x)  # [N, in_channels + 2 * growth, H, W]
        x = self.dense_layer3(x)  # [N, in_channels + 3 * growth, H, W]
        x = self.dense_layer4(x)  # [N, in_channels + 4 * growth, H, W]
        x = self.dense_layer5(x)  # [N, in_channels + 5 * growth, H, W]
        return self.dense_layer6(x)


class DenseBlock2(nn.Module):
    """x: float32 [N, in_channels, H, W]
    -> x: float32 [N, in_channels + 12 * growth, H, W].
    """

    def __init__(self, in_channels: int, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(in_channels, growth, eps)
        self.dense_layer2 = DenseLayer(in_channels + growth, growth, eps)
        self.dense_layer3 = DenseLayer(in_channels + 2 * growth, growth, eps)
        self.dense_layer4 = DenseLayer(in_channels + 3 * growth, growth, eps)
        self.dense_layer5 = DenseLayer(in_channels + 4 * growth, growth, eps)
        self.dense_layer6 = DenseLayer(in_channels + 5 * growth, growth, eps)
        self.dense_layer7 = DenseLayer(in_channels + 6 * growth, growth, eps)
        self.dense_layer8 = DenseLayer(in_channels + 7 * growth, growth, eps)
        self.dense_layer9 = DenseLayer(in_channels + 8 * growth, growth, eps)
        self.dense_layer10 = DenseLayer(in_channels + 9 * growth, growth, eps)
        self.dense_layer11 = DenseLayer(in_channels + 10 * growth, growth, eps)
        self.dense_layer12 = DenseLayer(in_channels + 11 * growth, growth, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dense_layer1(x)  # [N, in_channels + growth, H, W]
        x = self.dense_layer2(x)  # [N, in_channels + 2 * growth, H, W]
        x = self.dense_layer3(x)  # [N, in_channels + 3 * growth, H, W]
        x = self.dense_layer4(x)  # [N, in_channels + 4 * growth, H, W]
        x = self.dense_layer5(x)  # [N, in_channels + 5 * growth, H, W]
        x = self.dense_layer6(x)  # [N, in_channels + 6 * growth, H, W]
        x = self.dense_layer7(x)  # [N, in_channels + 7 * growth, H, W]
        x = self.dense_layer8(x)  # [N, in_channels + 8 * growth, H, W]
        x = self.dense_layer9(x)  # [N, in_channels + 9 * growth, H, W]
        x = self.dense_layer10(x)  # [N, in_channels + 10 * growth, H, W]
        x = self.dense_layer11(x)  # [N, in_channels + 11 * growth, H, W]
        return self.dense_layer12(x)


class DenseBlock3(nn.Module):
    """x: float32 [N, in_channels, H, W]
    -> x: float32 [N, in_channels + 24 * growth, H, W].
    """

    def __init__(self, in_channels: int, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(in_channels, growth, eps)
        self.dense_layer2 = DenseLayer(in_channels + growth, growth, eps)
        self.dense_layer3 = DenseLayer(in_channels + 2 * growth, growth, eps)
        self.dense_layer4 = DenseLayer(in_channels + 3 * growth, growth, eps)
        self.dense_layer5 = DenseLayer(in_channels + 4 * growth, growth, eps)
        self.dense_layer6 = DenseLayer(in_channels + 5 * growth, growth, eps)
        self.dense_layer7 = DenseLayer(in_channels + 6 * growth, growth, eps)
        self.dense_layer8 = DenseLayer(in_channels + 7 * growth, growth, eps)
        self.dense_layer9 = DenseLayer(in_channels + 8 * growth, growth, eps)
        self.dense_layer10 = DenseLayer(in_channels + 9 * growth, growth, eps)
        self.dense_layer11 = DenseLayer(in_channels + 10 * growth, growth, eps)
        self.dense_layer12 = DenseLayer(in_channels + 11 * growth, growth, eps)
        self.dense_layer13 = DenseLayer(in_channels + 12 * growth, growth, eps)
        self.dense_layer14 = DenseLayer(in_channels + 13 * growth, growth, eps)
        self.dense_layer15 = DenseLayer(in_channels + 14 * growth, growth, eps)
        self.dense_layer16 = DenseLayer(in_channels + 15 * growth, growth, eps)
        self.dense_layer17 = DenseLayer(in_channels + 16 * growth, growth, eps)
        self.dense_layer18 = DenseLayer(in_channels + 17 * growth, growth, eps)
        self.dense_layer19 = DenseLayer(in_channels + 18 * growth, growth, eps)
        self.dense_layer20 = DenseLayer(in_channels + 19 * growth, growth, eps)
        self.dense_layer21 = DenseLayer(in_channels + 20 * growth, growth, eps)
        self.dense_layer22 = DenseLayer(in_channels + 21 * growth, growth, eps)
        self.dense_layer23 = DenseLayer(in_channels + 22 * growth, growth, eps)
        self.dense_layer24 = DenseLayer(in_channels + 23 * growth, growth, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dense_layer1(x)  # [N, in_channels + growth, H, W]
        x = self.dense_layer2(x)  # [N, in_channels + 2 * growth, H, W]
        x = self.dense_layer3(x)  # [N, in_channels + 3 * growth, H, W]
        x = self.dense_layer4(x)  # [N, in_channels + 4 * growth, H, W]
        x = self.dense_layer5(x)  # [N, in_channels + 5 * growth, H, W]
        x = self.dense_layer6(x)  # [N, in_channels + 6 * growth, H, W]
        x = self.dense_layer7(x)  # [N, in_channels + 7 * growth, H, W]
        x = self.dense_layer8(x)  # [N, in_channels + 8 * growth, H, W]
        x = self.dense_layer9(x)  # [N, in_channels + 9 * growth, H, W]
        x = self.dense_layer10(x)  # [N, in_channels + 10 * growth, H, W]
        x = self.dense_layer11(x)  # [N, in_channels + 11 * growth, H, W]
        x = self.dense_layer12(x)  # [N, in_channels + 12 * growth, H, W]
        x = self.dense_layer13(x)  # [N, in_channels + 13 * growth, H, W]
        x = self.dense_layer14(x)  # [N, in_channels + 14 * growth, H, W]
        x = self.dense_layer15(x)  # [N, in_channels + 15 * growth, H, W]
        x = self.dense_layer16(x)  # [N, in_channels + 16 * growth, H, W]
        x = self.dense_layer17(x)  # [N, in_channels + 17 * growth, H, W]
        x = self.dense_layer18(x)  # [N, in_channels + 18 * growth, H, W]
        x = self.dense_layer19(x)  # [N, in_channels + 19 * growth, H, W]
        x = self.dense_layer20(x)  # [N, in_channels + 20 * growth, H, W]
        x = self.dense_layer21(x)  # [N, in_channels + 21 * growth, H, W]
        x = self.dense_layer22(x)  # [N, in_channels + 22 * growth, H, W]
        x = self.dense_layer23(x)  # [N, in_channels + 23 * growth, H, W]
        return self.dense_layer24(x)


class DenseBlock4(nn.Module):
    """x: float32 [N, in_channels, H, W]
    -> x: float32 [N, in_channels + 16 * growth, H, W].
    """

    def __init__(self, in_channels: int, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(in_channels, growth, eps)
        self.dense_layer2 = DenseLayer(in_channels + growth, growth, eps)
        self.dense_layer3 = DenseLayer(in_channels + 2 * growth, growth, eps)
        self.dense_layer4 = DenseLayer(in_channels + 3 * growth, growth, eps)
        self.dense_layer5 = DenseLayer(in_channels + 4 * growth, growth, eps)
        self.dense_layer6 = DenseLayer(in_channels + 5 * growth, growth, eps)
        self.dense_layer7 = DenseLayer(in_channels + 6 * growth, growth, eps)
        self.dense_layer8 = DenseLayer(in_channels + 7 * growth, growth, eps)
        self.dense_layer9 = DenseLayer(in_channels + 8 * growth, growth, eps)
        self.dense_layer10 = DenseLayer(in_channels + 9 * growth, growth, eps)
        self.dense_layer11 = DenseLayer(in_channels + 10 * growth, growth, eps)
        self.dense_layer12 = DenseLayer(in_channels + 11 * growth, growth, eps)
        self.dense_layer13 = DenseLayer(in_channels + 12 * growth, growth, eps)
        self.dense_layer14 = DenseLayer(in_channels + 13 * growth, growth, eps)
        self.dense_layer15 = DenseLayer(in_channels + 14 * growth, growth, eps)
        self.dense_layer16 = DenseLayer(in_channels + 15 * growth, growth, eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dense_layer1(x)  # [N, in_channels + growth, H, W]
        x = self.dense_layer2(x)  # [N, in_channels + 2 * growth, H, W]
        x = self.dense_layer3(x)  # [N, in_channels + 3 * growth, H, W]
        x = self.dense_layer4(x)  # [N, in_channels + 4 * growth, H, W]
        x = self.dense_layer5(x)  # [N, in_channels + 5 * growth, H, W]
        x = self.dense_layer6(x)  # [N, in_channels + 6 * growth, H, W]
        x = self.dense_layer7(x)  # [N, in_channels + 7 * growth, H, W]
        x = self.dense_layer8(x)  # [N, in_channels + 8 * growth, H, W]
        x = self.dense_layer9(x)  # [N, in_channels + 9 * growth, H, W]
        x = self.dense_layer10(x)  # [N, in_channels + 10 * growth, H, W]
        x = self.dense_layer11(x)  # [N, in_channels + 11 * growth, H, W]
        x = self.dense_layer12(x)  # [N, in_channels + 12 * growth, H, W]
        x = self.dense_layer13(x)  # [N, in_channels + 13 * growth, H, W]
        x = self.dense_layer14(x)  # [N, in_channels + 14 * growth, H, W]
        x = self.dense_layer15(x)  # [N, in_channels + 15 * growth, H, W]
        return self.dense_layer16(x)


class Transition(nn.Module):
    """Half the channels, half the side.

    x: float32 [N, in_channels, H, W]
    -> float32 [N, in_channels // 2, H // 2, W // 2].
    """

    def __init__(self, in_channels: int, eps: float) -> None:
        super().__init__()
        self.pre_conv = PreConv(in_channels, in_channels // 2, kernel=1, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pre_conv(x)  # [N, in_channels // 2, H, W]
        return F.avg_pool2d(x, 2)


class DenseNet121(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, growth: int = 32, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.conv_bn = ConvBN(3, 2 * growth, kernel=7, padding=3, stride=2, eps=eps)
        self.dense_block1 = DenseBlock(2 * growth, growth, eps)
        self.transition1 = Transition(8 * growth, eps)
        self.dense_block2 = DenseBlock2(4 * growth, growth, eps)
        self.transition2 = Transition(16 * growth, eps)
        self.dense_block3 = DenseBlock3(8 * growth, growth, eps)
        self.transition3 = Transition(32 * growth, eps)
        self.dense_block4 = DenseBlock4(16 * growth, growth, eps)
        self.norm = nn.BatchNorm2d(32 * growth, eps=eps)
        self.linear = nn.Linear(32 * growth, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv_bn(image))  # [N, 2 * growth, 112, 112]
        x = F.max_pool2d(x, 3, stride=2, padding=1)  # [N, 2 * growth, 56, 56]
        x = self.dense_block1(x)  # [N, 8 * growth, 56, 56]
        x = self.transition1(x)  # [N, 4 * growth, 28, 28]
        x = self.dense_block2(x)  # [N, 16 * growth, 28, 28]
        x = self.transition2(x)  # [N, 8 * growth, 14, 14]
        x = self.dense_block3(x)  # [N, 32 * growth, 14, 14]
        x = self.transition3(x)  # [N, 16 * growth, 7, 7]
        x = self.dense_block4(x)  # [N, 32 * growth, 7, 7]
        x = F.relu(self.norm(x))
        x = x.mean(dim=(2, 3))  # [N, 32 * growth]
        return self.linear(x)

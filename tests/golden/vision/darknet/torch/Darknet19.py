"""Darknet19.

Printed by dlspec 0.1.0 from specs/vision/darknet.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class DarknetConv(nn.Module):
    """A convolution, normalised, and a ReLU that leaks a tenth. (Darknet's eps is
    1e-6, beside the standard deviation.)

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(self, in_channels: int, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            in_channels, channels, kernel, padding=kernel // 2, bias=False
        )
        nn.init.kaiming_normal_(self.conv.weight)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.norm(self.conv(x)), negative_slope=0.1)


class Darknet19Trunk(nn.Module):
    """The convolutions of Darknet-19 but the last (table 6): 3x3, and 1x1 with half
    the channels between them. Beside the result, at 1/32 of the side, what comes
    before the last halving (1/16), which YOLOv2 leads past.

    x: float32 [N, in_channels, H, W]
    -> coarse: float32 [N, 32 * width, H'''', W''''], fine: float32 [N, 16 *
    width, H''', W'''].
    """

    def __init__(self, in_channels: int, width: int = 32) -> None:
        super().__init__()
        self.darknet_conv1 = DarknetConv(in_channels, width, kernel=3)
        self.darknet_conv2 = DarknetConv(width, 2 * width, kernel=3)
        self.darknet_conv3 = DarknetConv(2 * width, 4 * width, kernel=3)
        self.darknet_conv4 = DarknetConv(4 * width, 2 * width, kernel=1)
        self.darknet_conv5 = DarknetConv(2 * width, 4 * width, kernel=3)
        self.darknet_conv6 = DarknetConv(4 * width, 8 * width, kernel=3)
        self.darknet_conv7 = DarknetConv(8 * width, 4 * width, kernel=1)
        self.darknet_conv8 = DarknetConv(4 * width, 8 * width, kernel=3)
        self.darknet_conv9 = DarknetConv(8 * width, 16 * width, kernel=3)
        self.darknet_conv10 = DarknetConv(16 * width, 8 * width, kernel=1)
        self.darknet_conv11 = DarknetConv(8 * width, 16 * width, kernel=3)
        self.darknet_conv12 = DarknetConv(16 * width, 8 * width, kernel=1)
        self.darknet_conv13 = DarknetConv(8 * width, 16 * width, kernel=3)
        self.darknet_conv14 = DarknetConv(16 * width, 32 * width, kernel=3)
        self.darknet_conv15 = DarknetConv(32 * width, 16 * width, kernel=1)
        self.darknet_conv16 = DarknetConv(16 * width, 32 * width, kernel=3)
        self.darknet_conv17 = DarknetConv(32 * width, 16 * width, kernel=1)
        self.darknet_conv18 = DarknetConv(16 * width, 32 * width, kernel=3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = self.darknet_conv1(x)  # [N, width, H, W]
        x = F.max_pool2d(x, 2)  # [N, width, H // 2, W // 2]
        x = self.darknet_conv2(x)  # [N, 2 * width, H // 2, W // 2]
        x = F.max_pool2d(x, 2)  # [N, 2 * width, H', W']
        x = self.darknet_conv3(x)  # [N, 4 * width, H', W']
        x = self.darknet_conv4(x)  # [N, 2 * width, H', W']
        x = self.darknet_conv5(x)  # [N, 4 * width, H', W']
        x = F.max_pool2d(x, 2)  # [N, 4 * width, H'', W'']
        x = self.darknet_conv6(x)  # [N, 8 * width, H'', W'']
        x = self.darknet_conv7(x)  # [N, 4 * width, H'', W'']
        x = self.darknet_conv8(x)  # [N, 8 * width, H'', W'']
        x = F.max_pool2d(x, 2)  # [N, 8 * width, H''', W''']
        x = self.darknet_conv9(x)  # [N, 16 * width, H''', W''']
        x = self.darknet_conv10(x)  # [N, 8 * width, H''', W''']
        x = self.darknet_conv11(x)  # [N, 16 * width, H''', W''']
        x = self.darknet_conv12(x)  # [N, 8 * width, H''', W''']
        x = self.darknet_conv13(x)  # [N, 16 * width, H''', W''']
        x1 = F.max_pool2d(x, 2)  # [N, 16 * width, H'''', W'''']
        x1 = self.darknet_conv14(x1)  # [N, 32 * width, H'''', W'''']
        x1 = self.darknet_conv15(x1)  # [N, 16 * width, H'''', W'''']
        x1 = self.darknet_conv16(x1)  # [N, 32 * width, H'''', W'''']
        x1 = self.darknet_conv17(x1)  # [N, 16 * width, H'''', W'''']
        x1 = self.darknet_conv18(x1)  # [N, 32 * width, H'''', W'''']
        return x1, x


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

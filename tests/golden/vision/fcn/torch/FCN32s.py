"""FCN32s.

Printed by dlspec 0.1.0 from specs/vision/fcn.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def bilinear_(weight: Tensor) -> Tensor:
    """Fill a convolution's kernel with the interpolation of each channel by itself."""
    window = torch.ones(())
    for length in weight.shape[2:]:
        distance = (torch.arange(length) - (length - 1) / 2).abs()
        window = window[..., None] * (1 - distance / ((length + 1) // 2))
    channels = torch.arange(min(weight.shape[:2]))
    with torch.no_grad():
        weight.zero_()[channels, channels] = window
    return weight


class VGGStage(nn.Module):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(self, in_channels: int, channels: int, ceil_mode2: bool) -> None:
        super().__init__()
        self.ceil_mode2 = ceil_mode2
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))  # [N, channels, H, W]
        x = F.relu(self.conv2(x))
        return F.max_pool2d(x, 2, ceil_mode=self.ceil_mode2)


class VGGStageProjection(nn.Module):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H', W'].
    """

    def __init__(self, in_channels: int, channels: int, ceil_mode2: bool) -> None:
        super().__init__()
        self.ceil_mode2 = ceil_mode2
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv2.weight)
        self.conv3 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv3.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))  # [N, channels, H, W]
        x = F.relu(self.conv2(x))
        x = F.relu(self.conv3(x))
        return F.max_pool2d(x, 2, ceil_mode=self.ceil_mode2)


class Trunk(nn.Module):
    """The score of each class at every 32nd pixel, and the maps at every 16th and
    8th.

    image: float32 [N, 3, H, W]
    -> score: float32 [N, classes, H'''''', W''''''], pool4: float32 [N, 512,
    H'''', W''''], pool3: float32 [N, 256, H''', W'''].
    """

    def __init__(self, classes: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.vgg_stage1 = VGGStage(3, 64, ceil_mode2=False)
        self.vgg_stage2 = VGGStage(64, 128, ceil_mode2=True)
        self.vgg_stage3 = VGGStageProjection(128, 256, ceil_mode2=True)
        self.vgg_stage4 = VGGStageProjection(256, 512, ceil_mode2=False)
        self.vgg_stage5 = VGGStageProjection(512, 512, ceil_mode2=False)
        self.fc6 = nn.Conv2d(512, hidden, 7)
        self.dropout1 = nn.Dropout(dropout)
        self.fc7 = nn.Conv2d(hidden, hidden, 1)
        self.dropout2 = nn.Dropout(dropout)
        self.score_fr = nn.Conv2d(hidden, classes, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = F.pad(image, (99, 99, 99, 99))  # [N, 3, H + 198, W + 198]
        x = self.vgg_stage1(x)  # [N, 64, H', W']
        x = self.vgg_stage2(x)  # [N, 128, H'', W'']
        x = self.vgg_stage3(x)  # [N, 256, H''', W''']
        x1 = self.vgg_stage4(x)  # [N, 512, H'''', W'''']
        x2 = self.vgg_stage5(x1)  # [N, 512, H''''', W''''']
        h = self.dropout1(F.relu(self.fc6(x2)))  # [N, hidden, H'''''', W'''''']
        h = self.dropout2(F.relu(self.fc7(h)))
        score = self.score_fr(h)  # [N, classes, H'''''', W'''''']
        return score, x1, x


class Enlarge(nn.Module):
    """`factor` times the side, by bilinear interpolation.

    x: float32 [N, in_channels, H, W]
    -> float32 [N, in_channels, H * factor + factor, W * factor + factor].
    """

    def __init__(self, in_channels: int, factor: int) -> None:
        super().__init__()
        self.conv_transpose = nn.ConvTranspose2d(
            in_channels, in_channels, 2 * factor, stride=factor, bias=False
        )
        bilinear_(self.conv_transpose.weight)
        self.conv_transpose.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv_transpose(x)


def crop(x: Tensor, like: Tensor, offset: int) -> Tensor:
    """The part of x that is as large as `like`, `offset` from the top and from the
    left; from its middle where it is not given.

    x: float32 [N, C, H, W], like: float32 [N, D, P, Q] -> float32 [N, C, P, Q].
    """
    _, _, P, Q = like.shape
    return x[:, :, offset : P + offset, offset : Q + offset]


class FCN32s(nn.Module):
    """image: float32 [N, 3, 500, 500] -> scores: float32 [N, classes, 500, 500]."""

    def __init__(
        self, classes: int = 21, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.trunk = Trunk(classes, hidden, dropout)
        self.enlarge = Enlarge(classes, 32)

    def forward(self, image: Tensor) -> Tensor:
        x, _, _ = self.trunk(image)
        x = self.enlarge(x)  # [N, classes, 544, 544]
        return crop(x, image, offset=19)

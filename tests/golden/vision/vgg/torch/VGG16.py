"""VGG16.

Printed by dlspec 0.1.0 from specs/vision/vgg.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class VGGStage(nn.Module):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H // 2, W // 2].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv1.weight)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.kaiming_normal_(self.conv2.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))  # [N, channels, H, W]
        x = F.relu(self.conv2(x))
        return F.max_pool2d(x, 2)


class VGGStageProjection(nn.Module):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, in_channels, H, W] -> float32 [N, channels, H // 2, W // 2].
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
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
        return F.max_pool2d(x, 2)


class VGG16(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.vgg_stage1 = VGGStage(3, 64)
        self.vgg_stage2 = VGGStage(64, 128)
        self.vgg_stage3 = VGGStageProjection(128, 256)
        self.vgg_stage4 = VGGStageProjection(256, 512)
        self.vgg_stage5 = VGGStageProjection(512, 512)
        self.linear1 = nn.Linear(25088, hidden)
        self.dropout1 = nn.Dropout(dropout)
        self.linear2 = nn.Linear(hidden, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.linear3 = nn.Linear(hidden, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.vgg_stage1(image)  # [N, 64, 112, 112]
        x = self.vgg_stage2(x)  # [N, 128, 56, 56]
        x = self.vgg_stage3(x)  # [N, 256, 28, 28]
        x = self.vgg_stage4(x)  # [N, 512, 14, 14]
        x = self.vgg_stage5(x)  # [N, 512, 7, 7]
        x = x.flatten(1)  # [N, 25088]
        x = self.dropout1(F.relu(self.linear1(x)))  # [N, hidden]
        x = self.dropout2(F.relu(self.linear2(x)))
        return self.linear3(x)

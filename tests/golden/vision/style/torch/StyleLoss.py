"""StyleLoss: What StyleNet minimizes: the drawn image has the style of one image and
the content of another. Images as VGG-19 takes them.

Printed by dlspec 0.1.0 from specs/vision/style.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Features(nn.Module):
    """VGG-19 up to its tenth convolution, not trained: the first maps of each
    resolution tell the style, the last the content.

    x: float32 [N, 3, H, W]
    -> relu1_1: float32 [N, width, H, W], relu2_1: float32 [N, 2 * width, H // 2,
    W // 2], relu3_1: float32 [N, 4 * width, width, width], relu4_1: float32 [N, 8
    * width, H', W'], relu4_2: float32 [N, 8 * width, H', W'].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, padding=1)
        self.conv1.requires_grad_(False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2.requires_grad_(False)
        self.conv3 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.conv3.requires_grad_(False)
        self.conv4 = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.conv4.requires_grad_(False)
        self.conv5 = nn.Conv2d(2 * width, 4 * width, 3, padding=1)
        self.conv5.requires_grad_(False)
        self.conv6 = nn.Conv2d(4 * width, 4 * width, 3, padding=1)
        self.conv6.requires_grad_(False)
        self.conv7 = nn.Conv2d(4 * width, 4 * width, 3, padding=1)
        self.conv7.requires_grad_(False)
        self.conv8 = nn.Conv2d(4 * width, 4 * width, 3, padding=1)
        self.conv8.requires_grad_(False)
        self.conv9 = nn.Conv2d(4 * width, 8 * width, 3, padding=1)
        self.conv9.requires_grad_(False)
        self.conv10 = nn.Conv2d(8 * width, 8 * width, 3, padding=1)
        self.conv10.requires_grad_(False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        x = F.relu(self.conv1(x))  # [N, width, H, W]
        x1 = F.relu(self.conv2(x))
        x1 = F.max_pool2d(x1, 2)  # [N, width, H // 2, W // 2]
        x1 = F.relu(self.conv3(x1))  # [N, 2 * width, H // 2, W // 2]
        x2 = F.relu(self.conv4(x1))
        x2 = F.max_pool2d(x2, 2)  # [N, 2 * width, width, width]
        x2 = F.relu(self.conv5(x2))  # [N, 4 * width, width, width]
        x3 = F.relu(self.conv6(x2))
        x3 = F.relu(self.conv7(x3))
        x3 = F.relu(self.conv8(x3))
        x3 = F.max_pool2d(x3, 2)  # [N, 4 * width, H', W']
        x3 = F.relu(self.conv9(x3))  # [N, 8 * width, H', W']
        x4 = F.relu(self.conv10(x3))
        return x, x1, x2, x3, x4


def gram(x: Tensor) -> Tensor:
    """How often two features appear together, over all positions: [N, C, C], over
    the number of elements of an example.

    x: float32 [N, C, H, W] -> float32 [N, C, C].
    """
    _, C, H, W = x.shape
    return torch.einsum("abcd,aecd->abe", x, x) / (C * H * W)


class StyleLoss(nn.Module):
    """drawn: float32 [N, 3, 256, 256], image: float32 [N, 3, 256, 256], style:
    float32 [N, 3, 256, 256]
    -> loss: float32.
    """

    def __init__(
        self, width: int = 64, style_weight: int = 1, content_weight: int = 1
    ) -> None:
        super().__init__()
        self.content_weight = content_weight
        self.style_weight = style_weight
        self.see = Features(width)

    def forward(self, drawn: Tensor, image: Tensor, style: Tensor) -> Tensor:
        d1, d2, d3, d4, content = self.see(drawn)
        s1, s2, s3, s4, _ = self.see(style)
        _, _, _, _, wanted = self.see(image)
        loss = self.content_weight * F.mse_loss(content, wanted)  # []
        x = gram(d1)  # [N, width, width]
        h = gram(s1)  # [N, width, width]
        loss = loss + self.style_weight * F.mse_loss(x, h)
        x = gram(d2)  # [N, 2 * width, 2 * width]
        h = gram(s2)  # [N, 2 * width, 2 * width]
        loss = loss + self.style_weight * F.mse_loss(x, h)
        x = gram(d3)  # [N, 4 * width, 4 * width]
        h = gram(s3)  # [N, 4 * width, 4 * width]
        loss = loss + self.style_weight * F.mse_loss(x, h)
        x = gram(d4)  # [N, 8 * width, 8 * width]
        h = gram(s4)  # [N, 8 * width, 8 * width]
        return loss + self.style_weight * F.mse_loss(x, h)

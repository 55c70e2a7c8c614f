"""Generator, Discriminator and Judge.

Printed by dlspec 0.1.0 from specs/training/dcgan.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """Noise to an image of 1 channel: 1x1 -> 2x2 -> 4x4 -> 8x8.

    z: float32 [N, latent] -> image: float32 [N, 1, 8, 8].
    """

    def __init__(self, latent: int = 32, width: int = 32) -> None:
        super().__init__()
        self.latent = latent
        self.conv_transpose1 = nn.ConvTranspose2d(latent, 4 * width, 2, bias=False)
        nn.init.normal_(self.conv_transpose1.weight, std=0.02)
        self.norm1 = nn.BatchNorm2d(4 * width)
        self.conv_transpose2 = nn.ConvTranspose2d(
            4 * width, 2 * width, 4, stride=2, padding=1, bias=False
        )
        nn.init.normal_(self.conv_transpose2.weight, std=0.02)
        self.norm2 = nn.BatchNorm2d(2 * width)
        self.conv_transpose3 = nn.ConvTranspose2d(2 * width, 1, 4, stride=2, padding=1)
        nn.init.normal_(self.conv_transpose3.weight, std=0.02)

    def forward(self, z: Tensor) -> Tensor:
        x = z.reshape(-1, self.latent, 1, 1)  # [N, latent, 1, 1]
        x = F.relu(self.norm1(self.conv_transpose1(x)))  # [N, 4 * width, 2, 2]
        x = F.relu(self.norm2(self.conv_transpose2(x)))  # [N, 2 * width, 4, 4]
        return torch.tanh(self.conv_transpose3(x))


class Discriminator(nn.Module):
    """An image to the log-odds that it is real: 8x8 -> 4x4 -> 2x2 -> 1.

    image: float32 [N, 1, 8, 8] -> real: float32 [N, 1].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 4, stride=2, padding=1)
        nn.init.normal_(self.conv1.weight, std=0.02)
        self.conv2 = nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False)
        nn.init.normal_(self.conv2.weight, std=0.02)
        self.norm = nn.BatchNorm2d(2 * width)
        self.conv3 = nn.Conv2d(2 * width, 1, 2)
        nn.init.normal_(self.conv3.weight, std=0.02)

    def forward(self, image: Tensor) -> Tensor:
        x = F.leaky_relu(self.conv1(image), negative_slope=0.2)  # [N, width, 4, 4]
        x = F.leaky_relu(self.norm(self.conv2(x)), negative_slope=0.2)
        x = self.conv3(x)  # [N, 1, 1, 1]
        return x.flatten(1)


class Judge(nn.Module):
    """An image to its class.

    image: float32 [N, 1, 8, 8] -> logits: float32 [N, classes].
    """

    def __init__(self, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.linear = nn.Linear(32 * width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)  # [N, width, 8, 8]
        x = F.max_pool2d(x, 2)  # [N, width, 4, 4]
        x = F.relu(self.conv2(F.relu(x)))  # [N, 2 * width, 4, 4]
        x = x.flatten(1)  # [N, 32 * width]
        return self.linear(x)

"""Generator, Critic and Judge.

Printed by dlspec 0.1.0 from specs/training/wgan_gp.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Generator(nn.Module):
    """Noise to the 64 pixels of an image.

    z: float32 [N, latent] -> image: float32 [N, pixels].
    """

    def __init__(self, latent: int = 32, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(latent, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, pixels)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.linear1(z))  # [N, width]
        x = F.relu(self.linear2(x))
        return torch.tanh(self.linear3(x))


class Critic(nn.Module):
    """An image to a number that is greater for real images; no normalisation, since
    the penalty is on each image alone.

    image: float32 [N, pixels] -> score: float32 [N, 1].
    """

    def __init__(self, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = F.leaky_relu(self.linear1(image), negative_slope=0.2)  # [N, width]
        x = F.leaky_relu(self.linear2(x), negative_slope=0.2)
        return self.linear3(x)


class Judge(nn.Module):
    """An image to its class.

    image: float32 [N, pixels] -> logits: float32 [N, classes].
    """

    def __init__(self, width: int = 128, classes: int = 10, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.linear2 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

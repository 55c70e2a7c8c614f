"""Generator, Discriminator and Judge.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
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
        x = F.leaky_relu(self.linear1(z), negative_slope=0.2)  # [N, width]
        x = F.leaky_relu(self.linear2(x), negative_slope=0.2)
        return torch.tanh(self.linear3(x))


class Discriminator(nn.Module):
    """An image to the log-odds that it is real.

    image: float32 [N, pixels] -> real: float32 [N, 1].
    """

    def __init__(self, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.dropout1 = nn.Dropout(0.3)
        self.linear2 = nn.Linear(width, width)
        self.dropout2 = nn.Dropout(0.3)
        self.linear3 = nn.Linear(width, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.dropout1(F.leaky_relu(self.linear1(image), negative_slope=0.2))
        x = self.dropout2(F.leaky_relu(self.linear2(x), negative_slope=0.2))
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

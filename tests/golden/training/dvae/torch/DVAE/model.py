"""Encoder and Decoder.

Printed by dlspec 0.1.0 from specs/training/dvae.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    """The log-odds of the words at each place, [N, places, words].

    image: float32 [N, 64] -> float32 [N, 4, 16].
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, width)
        self.linear2 = nn.Linear(width, 64)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        x = self.linear2(x)  # [N, 64]
        return x.reshape(-1, 4, 16)


class Decoder(nn.Module):
    """Words, or mixtures of them, to the log-odds of the pixels.

    chosen: float32 [N, 4, 16] -> float32 [N, 64].
    """

    def __init__(self, width: int = 256, dim: int = 16) -> None:
        super().__init__()
        self.linear1 = nn.Linear(16, dim, bias=False)
        self.linear2 = nn.Linear(4 * dim, width)
        self.linear3 = nn.Linear(width, 64)

    def forward(self, chosen: Tensor) -> Tensor:
        x = self.linear1(chosen)  # [N, 4, dim]
        x = x.flatten(1)  # [N, 4 * dim]
        x = F.relu(self.linear2(x))  # [N, width]
        return self.linear3(x)

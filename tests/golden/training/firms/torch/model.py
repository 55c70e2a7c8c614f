"""Investment.

Printed by dlspec 0.1.0 from specs/training/firms.dls.
"""

import torch
from torch import Tensor, nn


class Deep(nn.Module):
    """x: float32 [N, in_features] -> float32 [N, 1]."""

    def __init__(self, in_features: int, width: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, width)
        self.linear2 = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.tanh(self.linear1(x))  # [N, width]
        return self.linear2(x)


class Investment(nn.Module):
    """firm: int64 [N], value: float32 [N], capital: float32 [N], year: float32 [N]
    -> invested: float32 [N].
    """

    def __init__(self, firms: int = 11, size: int = 4, width: int = 32) -> None:
        super().__init__()
        self.embedding1 = nn.Embedding(firms, 1)
        nn.init.zeros_(self.embedding1.weight)
        self.linear = nn.Linear(3, 1)
        self.embedding2 = nn.Embedding(firms, size)
        self.deep = Deep(size + 3, width)

    def forward(
        self, firm: Tensor, value: Tensor, capital: Tensor, year: Tensor
    ) -> Tensor:
        numbers = torch.stack([value, capital, year], dim=1)  # [N, 3]
        wide = self.embedding1(firm) + self.linear(numbers)  # [N, 1]
        x = self.embedding2(firm)  # [N, size]
        x = torch.cat([x, numbers], dim=1)  # [N, size + 3]
        deep = self.deep(x)  # [N, 1]
        return (wide + deep).squeeze(1)

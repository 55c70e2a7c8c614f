"""Features, Classifier and Plain.

Printed by dlspec 0.1.0 from specs/training/dann.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Features(nn.Module):
    """point: float32 [N, 2] -> features: float32 [N, width]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.linear1 = nn.Linear(2, width)
        self.linear2 = nn.Linear(width, width)

    def forward(self, point: Tensor) -> Tensor:
        x = F.relu(self.linear1(point))  # [N, width]
        return F.relu(self.linear2(x))


class Classifier(nn.Module):
    """From features to the log-odds of a moon, or of a domain.

    features: float32 [N, width] -> odds: float32 [N, 1].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, width)
        self.linear2 = nn.Linear(width, 1)

    def forward(self, features: Tensor) -> Tensor:
        x = F.relu(self.linear1(features))
        return self.linear2(x)


class Plain(nn.Module):
    """Both in one, for comparison.

    point: float32 [N, 2] -> odds: float32 [N, 1].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.linear1 = nn.Linear(2, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, width)
        self.linear4 = nn.Linear(width, 1)

    def forward(self, point: Tensor) -> Tensor:
        x = F.relu(self.linear1(point))  # [N, width]
        x = F.relu(self.linear2(x))
        x = F.relu(self.linear3(x))
        return self.linear4(x)

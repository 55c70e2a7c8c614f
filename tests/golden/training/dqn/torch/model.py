"""QNetwork.

Printed by dlspec 0.1.0 from specs/training/dqn.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class QNetwork(nn.Module):
    """state: float32 [N, 4] -> values: float32 [N, actions]."""

    def __init__(self, actions: int = 2, width: int = 128) -> None:
        super().__init__()
        self.linear1 = nn.Linear(4, width)
        self.linear2 = nn.Linear(width, width)
        self.linear3 = nn.Linear(width, actions)

    def forward(self, state: Tensor) -> Tensor:
        x = F.relu(self.linear1(state))  # [N, width]
        x = F.relu(self.linear2(x))
        return self.linear3(x)

"""DQN: Conv32-8/4 - Conv64-4/2 - Conv64-3/1 - Dense512 - one value an action.

Printed by dlspec 0.1.0 from specs/decisions/dqn.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class DQN(nn.Module):
    """frames: float32 [N, 4, 84, 84] -> values: float32 [N, actions]."""

    def __init__(self, actions: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 32, 8, stride=4)
        self.conv2 = nn.Conv2d(32, 64, 4, stride=2)
        self.conv3 = nn.Conv2d(64, 64, 3)
        self.linear1 = nn.Linear(3136, 512)
        self.linear2 = nn.Linear(512, actions)

    def forward(self, frames: Tensor) -> Tensor:
        x = F.relu(self.conv1(frames))  # [N, 32, 20, 20]
        x = F.relu(self.conv2(x))  # [N, 64, 9, 9]
        x = F.relu(self.conv3(x))  # [N, 64, 7, 7]
        x = x.flatten(1)  # [N, 3136]
        x = F.relu(self.linear1(x))  # [N, 512]
        return self.linear2(x)

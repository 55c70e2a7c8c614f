"""OneColumn.

Printed by dlspec 0.1.0 from specs/vision/alexnet.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Dense(nn.Module):
    """Three layers, each of which sees all of the one before it.

    x: float32 [N, dim] -> float32 [N, classes].
    """

    def __init__(self, dim: int, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout1 = nn.Dropout(dropout)
        self.linear1 = nn.Linear(dim, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.linear2 = nn.Linear(hidden, hidden)
        self.linear3 = nn.Linear(hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.linear1(self.dropout1(x)))  # [N, hidden]
        x = F.relu(self.linear2(self.dropout2(x)))
        return self.linear3(x)


class OneColumn(nn.Module):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 11, stride=4, padding=2)
        self.conv2 = nn.Conv2d(64, 192, 5, padding=2)
        self.conv3 = nn.Conv2d(192, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 256, 3, padding=1)
        self.conv5 = nn.Conv2d(256, 256, 3, padding=1)
        self.dense = Dense(9216, hidden, classes, dropout)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv1(image))  # [N, 64, 55, 55]
        x = F.max_pool2d(x, 3, stride=2)  # [N, 64, 27, 27]
        x = F.relu(self.conv2(x))  # [N, 192, 27, 27]
        x = F.max_pool2d(x, 3, stride=2)  # [N, 192, 13, 13]
        x = F.relu(self.conv3(x))  # [N, 384, 13, 13]
        x = F.relu(self.conv4(x))  # [N, 256, 13, 13]
        x = F.relu(self.conv5(x))
        x = F.max_pool2d(x, 3, stride=2)  # [N, 256, 6, 6]
        x = x.flatten(1)  # [N, 9216]
        return self.dense(x)

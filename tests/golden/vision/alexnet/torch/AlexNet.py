"""AlexNet.

Printed by dlspec 0.1.0 from specs/vision/alexnet.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def normalize(x: Tensor) -> Tensor:
    """Brightness normalisation over five neighbouring channels; the operator divides
    alpha by five, the paper does not.

    x: float32 [N, C, H, W] -> float32 [N, C, H, W].
    """
    return F.local_response_norm(x, 5, alpha=0.0005, k=2.0)


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


class AlexNet(nn.Module):
    """image: float32 [N, 3, 227, 227] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.dense = Dense(9216, hidden, classes, dropout)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv1(image))  # [N, 96, 55, 55]
        x = normalize(x)
        x = F.max_pool2d(x, 3, stride=2)  # [N, 96, 27, 27]
        x = F.relu(self.conv2(x))  # [N, 256, 27, 27]
        x = normalize(x)
        x = F.max_pool2d(x, 3, stride=2)  # [N, 256, 13, 13]
        x = F.relu(self.conv3(x))  # [N, 384, 13, 13]
        x = F.relu(self.conv4(x))
        x = F.relu(self.conv5(x))  # [N, 256, 13, 13]
        x = F.max_pool2d(x, 3, stride=2)  # [N, 256, 6, 6]
        x = x.flatten(1)  # [N, 9216]
        return self.dense(x)

"""Teacher and Student.

Printed by dlspec 0.1.0 from specs/training/distillation.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class Teacher(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 256, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, width)
        self.dropout1 = nn.Dropout(0.3)
        self.linear2 = nn.Linear(width, width)
        self.dropout2 = nn.Dropout(0.3)
        self.linear3 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = self.dropout1(F.relu(self.linear1(image)))  # [N, width]
        x = self.dropout2(F.relu(self.linear2(x)))
        return self.linear3(x)


class Student(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 16, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, width)
        self.linear2 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

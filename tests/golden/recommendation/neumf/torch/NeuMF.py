"""NeuMF.

Printed by dlspec 0.1.0 from specs/recommendation/neumf.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class NeuMF(nn.Module):
    """user: int64 [N], item: int64 [N] -> logits: float32 [N, 1]."""

    def __init__(self, users: int = 6040, items: int = 3706, factors: int = 8) -> None:
        super().__init__()
        self.mf_user = nn.Embedding(users, factors)
        self.mf_item = nn.Embedding(items, factors)
        self.mlp_user = nn.Embedding(users, 32)
        self.mlp_item = nn.Embedding(items, 32)
        self.linear1 = nn.Linear(64, 32)
        self.linear2 = nn.Linear(32, 16)
        self.linear3 = nn.Linear(16, 8)
        self.linear4 = nn.Linear(factors + 8, 1)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        product = self.mf_user(user) * self.mf_item(item)  # [N, factors]
        x = self.mlp_user(user)  # [N, 32]
        h = self.mlp_item(item)  # [N, 32]
        deep = torch.cat([x, h], dim=1)  # [N, 64]
        deep = F.relu(self.linear1(deep))  # [N, 32]
        deep = F.relu(self.linear2(deep))  # [N, 16]
        deep = F.relu(self.linear3(deep))  # [N, 8]
        x = torch.cat([product, deep], dim=1)  # [N, factors + 8]
        return self.linear4(x)

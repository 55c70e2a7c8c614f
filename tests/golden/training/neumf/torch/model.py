"""NeuMF.

Printed by dlspec 0.1.0 from specs/training/neumf.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Latent(nn.Module):
    """One of many things as a vector, small at first.

    which: int64 [...] -> float32 [...].
    """

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, which: Tensor) -> Tensor:
        return self.embedding(which)


class NeuMF(nn.Module):
    """user: int64 [N], candidates: int64 [N, C] -> logits: float32 [N, C]."""

    def __init__(self, users: int = 400, items: int = 300, factors: int = 8) -> None:
        super().__init__()
        self.latent1 = Latent(users, factors)
        self.latent2 = Latent(items, factors)
        self.latent3 = Latent(users, 16)
        self.latent4 = Latent(items, 16)
        self.linear1 = nn.Linear(32, 16)
        self.linear2 = nn.Linear(16, 8)
        self.linear3 = nn.Linear(factors + 8, 1)

    def forward(self, user: Tensor, candidates: Tensor) -> Tensor:
        N = user.shape[0]
        C = candidates.shape[1]
        x = self.latent1(user)  # [N, factors]
        product = x[:, None] * self.latent2(candidates)  # [N, C, factors]
        x = self.latent3(user)  # [N, 16]
        mlp_user = x[:, None]  # [N, 1, 16]
        x = self.latent4(candidates)  # [N, C, 16]
        deep = torch.cat([mlp_user.expand(N, C, 16), x], dim=2)  # [N, C, 32]
        deep = F.relu(self.linear1(deep))  # [N, C, 16]
        deep = F.relu(self.linear2(deep))  # [N, C, 8]
        x = torch.cat([product, deep], dim=2)  # [N, C, factors + 8]
        x = self.linear3(x)  # [N, C, 1]
        return x.squeeze(2)

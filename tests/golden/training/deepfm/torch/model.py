"""DeepFM.

Printed by dlspec 0.1.0 from specs/training/deepfm.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pairwise_interactions(v: Tensor) -> Tensor:
    """The products of all pairs of fields, summed, in linear time: 1/2 sum((sum v)^2
    - sum v^2) (Rendle 2010).

    v: float32 [C * N, F, K] -> float32 [C * N, 1].
    """
    x = v.square()
    x = v.sum(dim=1).square() - x.sum(dim=1)  # [C * N, K]
    return x.sum(dim=1, keepdim=True) / 2


class DeepFM(nn.Module):
    """user: int64 [N], item: int64 [N, C], genre: int64 [N, C], popularity: float32
    [N, C]
    -> logits: float32 [N, C].
    """

    def __init__(
        self, users: int = 400, items: int = 300, genres: int = 8, factors: int = 8
    ) -> None:
        super().__init__()
        self.users = users
        self.items = items
        self.latent = nn.Embedding(genres + items + users, factors)
        nn.init.normal_(self.latent.weight, std=0.1)
        self.weights = nn.Embedding(genres + items + users, 1)
        nn.init.zeros_(self.weights.weight)
        self.linear1 = nn.Linear(1, 1, bias=False)
        self.linear2 = nn.Linear(3 * factors + 1, 64)
        self.linear3 = nn.Linear(64, 32)
        self.linear4 = nn.Linear(32, 1)

    def forward(
        self, user: Tensor, item: Tensor, genre: Tensor, popularity: Tensor
    ) -> Tensor:
        N = user.shape[0]
        C = item.shape[1]
        who = user[:, None].expand(N, C)  # [N, C]
        x = torch.stack(
            [who, self.users + item, self.items + self.users + genre], dim=2
        )
        place = x.reshape(-1, 3)  # [C * N, 3]
        dense = popularity.reshape(-1, 1)  # [C * N, 1]
        v = self.latent(place)  # [C * N, 3, factors]
        x = self.weights(place)  # [C * N, 3, 1]
        linear = x.sum(dim=1) + self.linear1(dense)
        deep = torch.cat([v.flatten(1), dense], dim=1)  # [C * N, 3 * factors + 1]
        deep = F.relu(self.linear2(deep))  # [C * N, 64]
        deep = F.relu(self.linear3(deep))  # [C * N, 32]
        x = linear + pairwise_interactions(v) + self.linear4(deep)
        return x.reshape(N, C)

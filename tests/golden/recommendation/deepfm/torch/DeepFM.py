"""DeepFM.

Printed by dlspec 0.1.0 from specs/recommendation/deepfm.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def pairwise_interactions(v: Tensor) -> Tensor:
    """The products of all pairs of fields, summed, in linear time: 1/2 sum((sum v)^2
    - sum v^2) (Rendle 2010).

    v: float32 [N, F, K] -> float32 [N, 1].
    """
    x = v.square()
    x = v.sum(dim=1).square() - x.sum(dim=1)  # [N, K]
    return x.sum(dim=1, keepdim=True) / 2


class DeepFM(nn.Module):
    """categories: int64 [N, 26], dense: float32 [N, numbers]
    -> logits: float32 [N, 1].
    """

    def __init__(self, numbers: int = 13, factors: int = 4) -> None:
        super().__init__()
        self.constant = nn.Buffer(
            torch.tensor(
                [
                    0,
                    100,
                    200,
                    300,
                    400,
                    500,
                    600,
                    700,
                    800,
                    900,
                    1000,
                    1100,
                    1200,
                    1300,
                    1400,
                    1500,
                    1600,
                    1700,
                    1800,
                    1900,
                    2000,
                    2100,
                    2200,
                    2300,
                    2400,
                    2500,
                ],
                dtype=torch.int64,
            ),
            persistent=False,
        )
        self.latent = nn.Embedding(2600, factors)
        self.weights = nn.Embedding(2600, 1)
        self.linear1 = nn.Linear(numbers, 1, bias=False)
        self.linear2 = nn.Linear(26 * factors + numbers, 256)
        self.linear3 = nn.Linear(256, 128)
        self.linear4 = nn.Linear(128, 1)

    def forward(self, categories: Tensor, dense: Tensor) -> Tensor:
        place = categories + self.constant
        v = self.latent(place)  # [N, 26, factors]
        x = self.weights(place)  # [N, 26, 1]
        linear = x.sum(dim=1) + self.linear1(dense)  # [N, 1]
        deep = torch.cat([v.flatten(1), dense], dim=1)  # [N, 26 * factors + numbers]
        deep = F.relu(self.linear2(deep))  # [N, 256]
        deep = F.relu(self.linear3(deep))  # [N, 128]
        return linear + pairwise_interactions(v) + self.linear4(deep)

"""DBN: How likely each label is for an image, and the image as the net would draw it
from what it remembers.

Printed by dlspec 0.1.0 from specs/foundations/dbn.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def up(v: Tensor, weight: Tensor, hidden_bias: Tensor) -> Tensor:
    """What the hidden units are, given the visible ones: p(h = 1 | v), [N, V] -> [N,
    H].

    v: float32 [N, D], weight: float32 [N, D'], hidden_bias: float32 [L]
    -> float32 [N, D'].
    """
    return torch.sigmoid(v @ weight + hidden_bias)


class RBM(nn.Module):
    """A machine with its weights. Its output are the hidden units' probabilities;
    the way down is `down(h, machine.weight, machine.visible_bias)`.

    v: float32 [N, v] -> float32 [N, hidden].
    """

    def __init__(self, v: int, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(v, hidden).normal_(0.0, 0.1))
        self.visible_bias = nn.Parameter(torch.zeros(v))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    def forward(self, v: Tensor) -> Tensor:
        return up(v, self.weight, self.hidden_bias)


def free_energy(
    v: Tensor, weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor
) -> Tensor:
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, 10, 510], weight: float32 [510, 2000], visible_bias: float32
    [510], hidden_bias: float32 [2000]
    -> float32 [N, 10].
    """
    x = F.softplus(v @ weight + hidden_bias)  # [N, 10, 2000]
    return -(v * visible_bias).sum(dim=2) - x.sum(dim=2)


def down(h: Tensor, weight: Tensor, visible_bias: Tensor) -> Tensor:
    """What the visible units are, given the hidden ones: p(v = 1 | h), [N, H] -> [N,
    V].

    h: float32 [N, D], weight: float32 [N, D], visible_bias: float32 [L]
    -> float32 [N, D'].
    """
    return torch.sigmoid(h @ weight.T + visible_bias)


class DBN(nn.Module):
    """image: float32 [N, pixels], label: float32 [N, 10]
    -> logits: float32 [N, 10], drawn: float32 [N, 784].
    """

    def __init__(self, pixels: int = 784) -> None:
        super().__init__()
        self.first = RBM(pixels, 500)
        self.second = RBM(500, 500)
        self.memory = RBM(510, 2000)

    def forward(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        N = image.shape[0]
        x = self.first(image)  # [N, 500]
        h = self.second(x)
        x = torch.cat([h, label], dim=1)  # [N, 510]
        recalled = self.memory(x)  # [N, 2000]
        x = torch.eye(10, 10, dtype=torch.float32, device=image.device)  # [10, 10]
        y = h[:, None].expand(N, 10, 500)  # [N, 10, 500]
        each = torch.cat([y, x.expand(N, 10, 10)], dim=2)  # [N, 10, 510]
        energy = free_energy(
            each, self.memory.weight, self.memory.visible_bias, self.memory.hidden_bias
        )
        x = down(recalled, self.memory.weight, self.memory.visible_bias)  # [N, 510]
        drawn = x[:, :500]  # [N, 500]
        drawn = down(drawn, self.second.weight, self.second.visible_bias)
        drawn = down(drawn, self.first.weight, self.first.visible_bias)  # [N, 784]
        logits = -energy
        return logits, drawn

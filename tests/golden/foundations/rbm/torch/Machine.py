"""Machine: an image drawn again from its hidden units, and how likely it is: its free
energy, lower for likelier ones.

Printed by dlspec 0.1.0 from specs/foundations/rbm.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def up(v: Tensor, weight: Tensor, hidden_bias: Tensor) -> Tensor:
    """What the hidden units are, given the visible ones: p(h = 1 | v), [N, V] -> [N,
    H].

    v: float32 [N, 784], weight: float32 [784, 500], hidden_bias: float32 [500]
    -> float32 [N, 500].
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


def down(h: Tensor, weight: Tensor, visible_bias: Tensor) -> Tensor:
    """What the visible units are, given the hidden ones: p(v = 1 | h), [N, H] -> [N,
    V].

    h: float32 [N, 500], weight: float32 [784, 500], visible_bias: float32 [784]
    -> float32 [N, 784].
    """
    return torch.sigmoid(h @ weight.T + visible_bias)


def free_energy(
    v: Tensor, weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor
) -> Tensor:
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, 784], weight: float32 [784, 500], visible_bias: float32 [784],
    hidden_bias: float32 [500]
    -> float32 [N].
    """
    x = F.softplus(v @ weight + hidden_bias)  # [N, 500]
    return -(v * visible_bias).sum(dim=1) - x.sum(dim=1)


class Machine(nn.Module):
    """image: float32 [N, 784] -> drawn: float32 [N, 784], energy: float32 [N]."""

    def __init__(self, hidden: int = 500) -> None:
        super().__init__()
        self.machine = RBM(784, hidden)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        h = self.machine(image)  # [N, hidden]
        drawn = down(h, self.machine.weight, self.machine.visible_bias)  # [N, 784]
        energy = free_energy(
            image,
            self.machine.weight,
            self.machine.visible_bias,
            self.machine.hidden_bias,
        )
        return drawn, energy

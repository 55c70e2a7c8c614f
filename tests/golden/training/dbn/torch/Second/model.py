"""Layer.

Printed by dlspec 0.1.0 from specs/training/dbn.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def up(v: Tensor, weight: Tensor, hidden_bias: Tensor) -> Tensor:
    """What the hidden units are, given the visible ones: p(h = 1 | v), [N, V] -> [N,
    H].

    v: float32 [N, D], weight: float32 [N, 128], hidden_bias: float32 [128]
    -> float32 [N, 128].
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

    h: float32 [N, 128], weight: float32 [N, 128], visible_bias: float32 [L]
    -> float32 [N, D].
    """
    return torch.sigmoid(h @ weight.T + visible_bias)


def free_energy(
    v: Tensor, weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor
) -> Tensor:
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, D], weight: float32 [N, 128], visible_bias: float32 [L],
    hidden_bias: float32 [128]
    -> float32 [N].
    """
    x = F.softplus(v @ weight + hidden_bias)
    return -(v * visible_bias).sum(dim=1) - x.sum(dim=1)


class Machine(nn.Module):
    """A machine over what is below it. `gap` is the free energy of data less that of
    dreams: its gradient is the update <v h>data - <v h>dream. A unit is on where
    `chance`, uniform noise, is below its probability.

    v: float32 [N, in_features], chance: float32 [N, 128]
    -> h: float32 [N, hidden], dream: float32 [N, in_features], gap: float32 [N].
    """

    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.machine = RBM(in_features, hidden)

    def forward(self, v: Tensor, chance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.machine(v)  # [N, hidden]
        on = (chance < h).to(torch.float32)
        dream = down(on, self.machine.weight, self.machine.visible_bias).detach()
        x = free_energy(
            v, self.machine.weight, self.machine.visible_bias, self.machine.hidden_bias
        )
        y = free_energy(
            dream,
            self.machine.weight,
            self.machine.visible_bias,
            self.machine.hidden_bias,
        )
        gap = x - y
        return h, dream, gap


class Layer(nn.Module):
    """v: float32 [N, in_features], chance: float32 [N, above]
    -> h: float32 [N, above], dream: float32 [N, in_features], gap: float32 [N].
    """

    def __init__(self, in_features: int, above: int = 128) -> None:
        super().__init__()
        self.machine = Machine(in_features, above)

    def forward(self, v: Tensor, chance: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h, dream, gap = self.machine(v, chance)
        return h, dream, gap

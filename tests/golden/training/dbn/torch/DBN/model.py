"""Layer and Memory.

Printed by dlspec 0.1.0 from specs/training/dbn.dls.
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


def down(h: Tensor, weight: Tensor, visible_bias: Tensor) -> Tensor:
    """What the visible units are, given the hidden ones: p(v = 1 | h), [N, H] -> [N,
    V].

    h: float32 [N, D], weight: float32 [N, D], visible_bias: float32 [L]
    -> float32 [N, D'].
    """
    return torch.sigmoid(h @ weight.T + visible_bias)


def free_energy(
    v: Tensor, weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor
) -> Tensor:
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, D], weight: float32 [N, D'], visible_bias: float32 [L],
    hidden_bias: float32 [L']
    -> float32 [N].
    """
    x = F.softplus(v @ weight + hidden_bias)
    return -(v * visible_bias).sum(dim=1) - x.sum(dim=1)


def free_energy2(
    v: Tensor, weight: Tensor, visible_bias: Tensor, hidden_bias: Tensor
) -> Tensor:
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, 10, 138], weight: float32 [138, 512], visible_bias: float32
    [138], hidden_bias: float32 [512]
    -> float32 [N, 10].
    """
    x = F.softplus(v @ weight + hidden_bias)  # [N, 10, 512]
    return -(v * visible_bias).sum(dim=2) - x.sum(dim=2)


class Machine(nn.Module):
    """A machine over what is below it. `gap` is the free energy of data less that of
    dreams: its gradient is the update <v h>data - <v h>dream. A unit is on where
    `chance`, uniform noise, is below its probability.

    v: float32 [N, in_features], chance: float32 [N, hidden]
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


class Memory(nn.Module):
    """The associative memory: a machine over the layer below and the labels, all of
    which are tried in turn.

    v: float32 [N, 128], label: int64 [N], chance: float32 [N, above]
    -> logits: float32 [N, 10], gap: float32 [N].
    """

    def __init__(self, above: int = 512) -> None:
        super().__init__()
        self.memory = Machine(138, above)

    def forward(
        self, v: Tensor, label: Tensor, chance: Tensor
    ) -> tuple[Tensor, Tensor]:
        N = v.shape[0]
        x = F.one_hot(label, 10).to(torch.float32)  # [N, 10]
        x = torch.cat([v, x], dim=1)  # [N, 138]
        _, _, gap = self.memory(x, chance)
        x = torch.eye(10, 10, dtype=torch.float32, device=v.device)  # [10, 10]
        y = v[:, None].expand(N, 10, 128)  # [N, 10, 128]
        each = torch.cat([y, x.expand(N, 10, 10)], dim=2)  # [N, 10, 138]
        x = free_energy2(
            each,
            self.memory.machine.weight,
            self.memory.machine.visible_bias,
            self.memory.machine.hidden_bias,
        )
        logits = -x
        return logits, gap

"""Similarities.

Printed by dlspec 0.1.0 from specs/survey/similarities.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def dot(q: Tensor, k: Tensor) -> Tensor:
    """q . k (Luong et al. 2015).

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    return q @ k.transpose(-2, -1)


def attend(scores: Tensor, v: Tensor) -> Tensor:
    """The values, averaged by how alike their keys are to each query:
    softmax(scores) v.

    scores: float32 [N, T, S], v: float32 [N, S, 16] -> float32 [N, T, 16].
    """
    return F.softmax(scores, dim=-1) @ v


def scaled_dot(q: Tensor, k: Tensor) -> Tensor:
    """q . k / sqrt(D), which keeps its size as D grows (Vaswani et al. 2017).

    q: float32 [N, T, D], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    return dot(q, k) / 4.0


def cosine(q: Tensor, k: Tensor) -> Tensor:
    """The cosine of the angle between them (Graves et al. 2014).

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    x = q / torch.linalg.vector_norm(q, dim=2, keepdim=True)
    h = k / torch.linalg.vector_norm(k, dim=2, keepdim=True)
    return dot(x, h)


def euclidean(q: Tensor, k: Tensor) -> Tensor:
    """-|q - k|: the nearer, the more alike.

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    x = torch.linalg.vector_norm(q[:, :, None] - k[:, None], dim=3)  # [N, T, S]
    return -x


class Additive(nn.Module):
    """v . tanh(W q + U k), a network with one hidden layer (Bahdanau et al. 2015).
    Here D may differ between q and k.

    q: float32 [N, T, in_features], k: float32 [N, S, k_2_size]
    -> float32 [N, T, S].
    """

    def __init__(self, in_features: int, k_2_size: int, width: int) -> None:
        super().__init__()
        self.w = nn.Linear(in_features, width, bias=False)
        self.u = nn.Linear(k_2_size, width, bias=False)
        self.v = nn.Linear(width, 1, bias=False)

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        x = self.w(q)  # [N, T, width]
        h = self.u(k)  # [N, S, width]
        x = self.v(torch.tanh(x[:, :, None] + h[:, None]))  # [N, T, S, 1]
        return x[:, :, :, 0]


class General(nn.Module):
    """q . W k, the general or multiplicative form (Luong et al. 2015).

    q: float32 [N, T, dim], k: float32 [N, S, in_features] -> float32 [N, T, S].
    """

    def __init__(self, in_features: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, dim, bias=False)

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        x = self.linear(k)  # [N, S, dim]
        return dot(q, x)


class Similarities(nn.Module):
    """query: float32 [N, T, 16], key: float32 [N, S, 16], value: float32 [N, S, 16]
    -> by_dot: float32 [N, T, 16], by_scaled_dot: float32 [N, T, 16], by_cosine:
    float32 [N, T, 16], by_euclidean: float32 [N, T, 16], by_additive: float32 [N,
    T, 16], by_general: float32 [N, T, 16].
    """

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.additive = Additive(16, 16, hidden)
        self.general = General(16, 16)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        x = dot(query, key)  # [N, T, S]
        by_dot = attend(x, value)  # [N, T, 16]
        x = scaled_dot(query, key)  # [N, T, S]
        by_scaled_dot = attend(x, value)  # [N, T, 16]
        x = cosine(query, key)  # [N, T, S]
        by_cosine = attend(x, value)  # [N, T, 16]
        x = euclidean(query, key)  # [N, T, S]
        by_euclidean = attend(x, value)  # [N, T, 16]
        x = self.additive(query, key)  # [N, T, S]
        by_additive = attend(x, value)  # [N, T, 16]
        x = self.general(query, key)  # [N, T, S]
        by_general = attend(x, value)  # [N, T, 16]
        return by_dot, by_scaled_dot, by_cosine, by_euclidean, by_additive, by_general

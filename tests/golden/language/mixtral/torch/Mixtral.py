"""Mixtral.

Printed by dlspec 0.1.0 from specs/language/mixtral.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def topk(x: Tensor, k: int, dim: int) -> tuple[Tensor, Tensor]:
    """The k greatest elements in falling order and where they are; ties: the first."""
    values, index = torch.sort(x, dim=dim, descending=True, stable=True)
    return values.narrow(dim, 0, k), index.narrow(dim, 0, k)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    N, T, D = x.shape
    return x.reshape(N, T, heads, D // heads).transpose(1, 2)


def rotary(x: Tensor, position: Tensor, base: int = 10000) -> Tensor:
    """Rotary positions (Su et al. 2021): channel i of the first half and channel i
    of the second are turned together, by an angle that grows with the position. x
    is [N, heads, T, D].

    x: float32 [N, H, T, D], position: int64 [T] -> float32 [N, H, T, W].
    """
    D = x.shape[3]
    h = torch.arange(0, D, 2, dtype=torch.int64, device=x.device)  # [L]
    angle = position[:, None] / base ** (h / D)  # [T, D']
    a, b = x.chunk(2, dim=3)
    x = a * torch.cos(angle) - b * torch.sin(angle)
    return torch.cat([x, b * torch.cos(angle) + a * torch.sin(angle)], dim=3)


def merge_heads(x: Tensor) -> Tensor:
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    N, H, T, D = x.shape
    return x.transpose(1, 2).reshape(N, T, D * H)


class Attention(nn.Module):
    """Self-attention in which no position sees a later one, and each pair of key and
    value serves several queries.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, kv_heads: int, theta: int) -> None:
        super().__init__()
        self.heads = heads
        self.theta = theta
        self.kv_heads = kv_heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, dim // heads * kv_heads, bias=False)
        self.value = nn.Linear(dim, dim // heads * kv_heads, bias=False)
        self.out = nn.Linear(dim // heads * heads, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        T = x.shape[1]
        position = torch.arange(T, device=x.device)  # [T]
        h = self.query(x)
        h = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        q = rotary(h, position, base=self.theta)
        h = self.key(x)  # [N, T, D]
        h = split_heads(h, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        k = rotary(h, position, base=self.theta)
        x = self.value(x)  # [N, T, D]
        v = split_heads(x, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        x = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class SwiGLU(nn.Module):
    """A feed-forward layer with a gate, without biases (Shazeer 2020).

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.silu(self.gate(x)) * self.up(x)  # [N, T, hidden]
        return self.down(x)


class Experts(nn.Module):
    """For each token the `active` likeliest of `count` experts, weighted by the
    softmax over these alone.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int, count: int, active: int) -> None:
        super().__init__()
        self.active = active
        self.count = count
        self.router = nn.Linear(dim, count, bias=False)
        self.experts = nn.ModuleList([SwiGLU(dim, hidden) for _ in range(8)])

    def forward(self, x: Tensor) -> Tensor:
        h = self.router(x)  # [N, T, count]
        scores, chosen = topk(h, self.active, dim=2)
        h = F.softmax(scores, dim=-1)
        h = h[:, :, :, None] * F.one_hot(chosen, self.count).to(torch.float32)
        weight = h.sum(dim=2)  # [N, T, count]
        answers = torch.stack([expert(x) for expert in self.experts], dim=2)
        return torch.einsum("abc,abcd->abd", weight, answers)


class Layer(nn.Module):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(
        self,
        dim: int,
        heads: int,
        kv_heads: int,
        hidden: int,
        experts: int,
        active: int,
        theta: int,
    ) -> None:
        super().__init__()
        self.norm1 = nn.RMSNorm(dim, eps=1e-5)
        self.attention = Attention(dim, heads, kv_heads, theta)
        self.norm2 = nn.RMSNorm(dim, eps=1e-5)
        self.experts = Experts(dim, hidden, experts, active)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.experts(self.norm2(x))


class Mixtral(nn.Module):
    """tokens: int64 [N, T] -> logits: float32 [N, T, 32000]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(32000, 4096)
        self.layers = nn.Sequential(
            *[
                Layer(
                    4096,
                    32,
                    kv_heads=8,
                    hidden=14336,
                    experts=8,
                    active=2,
                    theta=1000000,
                )
                for _ in range(32)
            ]
        )
        self.norm = nn.RMSNorm(4096, eps=1e-5)
        self.head = nn.Linear(4096, 32000, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)  # [N, T, 4096]
        x = self.norm(self.layers(x))
        return self.head(x)

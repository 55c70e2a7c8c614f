"""LlamaStep.

Printed by dlspec 0.1.0 from specs/language/llama.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


class CachedAttention(nn.Module):
    """The same attention for T positions after P others, whose keys and values it is
    given; it gives out those of all.

    x: float32 [N, T, dim], past: float32 [2, N, H, P, e_size]
    -> output: float32 [N, T, dim], present: float32 [2, N, H, P + T, e_size].
    """

    def __init__(
        self, dim: int, e_size: int, heads: int, kv_heads: int, theta: int
    ) -> None:
        super().__init__()
        self.heads = heads
        self.theta = theta
        self.kv_heads = kv_heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key = nn.Linear(dim, dim // heads * kv_heads, bias=False)
        self.value = nn.Linear(dim, dim // heads * kv_heads, bias=False)
        self.out = nn.Linear(e_size * heads, dim, bias=False)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        T = x.shape[1]
        P = past.shape[3]
        position = torch.arange(P, P + T, device=x.device)  # [T]
        h = self.query(x)
        h = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        q = rotary(h, position, base=self.theta)
        h = self.key(x)  # [N, T, D]
        h = split_heads(h, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        k = rotary(h, position, base=self.theta)
        x = self.value(x)  # [N, T, D]
        v = split_heads(x, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        x = torch.stack([k, v])  # [2, N, kv_heads, T, dim // heads]
        present = torch.cat([past, x], dim=3)  # [2, N, H, P + T, e_size]
        k, v = present.unbind(0)
        x = position[:, None] >= torch.arange(P + T, device=x.device)  # [T, P + T]
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=x, enable_gqa=True)
        x = merge_heads(x)  # [N, T, e_size * heads]
        output = self.out(x)  # [N, T, dim]
        return output, present


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


class CachedLayer(nn.Module):
    """x: float32 [N, T, dim], past: float32 [2, N, 8, P, size4]
    -> output: float32 [N, T, dim], present: float32 [2, N, 8, P + T, size4].
    """

    def __init__(
        self, dim: int, size4: int, heads: int, kv_heads: int, hidden: int, theta: int
    ) -> None:
        super().__init__()
        self.norm1 = nn.RMSNorm(dim, eps=1e-5)
        self.attention = CachedAttention(dim, size4, heads, kv_heads, theta)
        self.norm2 = nn.RMSNorm(dim, eps=1e-5)
        self.feed_forward = SwiGLU(dim, hidden)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        seen, present = self.attention(self.norm1(x), past)
        x = x + seen
        output = x + self.feed_forward(self.norm2(x))
        return output, present


class LlamaStep(nn.Module):
    """tokens: int64 [N, T], past: float32 [32, 2, N, 8, P, 128]
    -> logits: float32 [N, T, 128256], present: float32 [32, 2, N, 8, P + T, 128].
    """

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(128256, 4096)
        self.layers = nn.ModuleList(
            [
                CachedLayer(4096, 128, heads=32, kv_heads=8, hidden=14336, theta=500000)
                for _ in range(32)
            ]
        )
        self.norm = nn.RMSNorm(4096, eps=1e-5)
        self.head = nn.Linear(4096, 128256, bias=False)

    def forward(self, tokens: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embed(tokens)  # [N, T, 4096]
        caches = []
        for layer, cache in zip(self.layers, past.unbind(0), strict=True):
            x, cache = layer(x, cache)
            caches.append(cache)
        present = torch.stack(caches)  # [32, 2, N, 8, P + T, 128]
        logits = self.head(self.norm(x))  # [N, T, 128256]
        return logits, present

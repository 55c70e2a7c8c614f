"""GPT2Step.

Printed by dlspec 0.1.0 from specs/language/gpt2.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CachedAttention(nn.Module):
    """The same attention for T positions after P others, whose keys and values it is
    given; it gives out those of all.

    x: float32 [N, T, dim], past: float32 [2, N, H, P, e_size]
    -> output: float32 [N, T, dim], present: float32 [2, N, H, P + T, e_size].
    """

    def __init__(self, dim: int, e_size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(e_size * heads, dim)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        N, T, D = x.shape
        _, _, _, P, E = past.shape
        x = self.qkv(x)  # [N, T, 3 * dim]
        x = x.reshape(N, T, 3, self.heads, D // self.heads)
        q, k, v = x.permute(2, 0, 3, 1, 4).unbind(0)
        x = torch.stack([k, v])  # [2, N, heads, T, dim // heads]
        present = torch.cat([past, x], dim=3)  # [2, N, H, P + T, e_size]
        k, v = present.unbind(0)
        x = torch.arange(P, P + T, device=x.device)[:, None]  # [T, 1]
        earlier = x >= torch.arange(P + T, device=x.device)  # [T, P + T]
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=earlier)
        x = x.transpose(1, 2).reshape(N, T, E * self.heads)  # [N, T, e_size * heads]
        output = self.out(x)  # [N, T, dim]
        return output, present


class FeedForward(nn.Module):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 4 * dim)
        self.linear2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.linear1(x), approximate="tanh")  # [N, T, 4 * dim]
        return self.linear2(x)


class CachedLayer(nn.Module):
    """x: float32 [N, T, dim], past: float32 [2, N, 12, P, size4]
    -> output: float32 [N, T, dim], present: float32 [2, N, 12, P + T, size4].
    """

    def __init__(self, dim: int, size4: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = CachedAttention(dim, size4, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim)

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        seen, present = self.attention(self.norm1(x), past)
        x = x + seen
        output = x + self.feed_forward(self.norm2(x))
        return output, present


class GPT2Step(nn.Module):
    """tokens: int64 [N, T], past: float32 [12, 2, N, 12, P, 64]
    -> logits: float32 [N, T, 50257], present: float32 [12, 2, N, 12, P + T, 64].
    """

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50257, 768)
        self.position = nn.Embedding(1024, 768)
        self.layers = nn.ModuleList([CachedLayer(768, 64, heads=12) for _ in range(12)])
        self.norm = nn.LayerNorm(768)

    def forward(self, tokens: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        T = tokens.shape[1]
        P = past.shape[4]
        x = self.position(torch.arange(P, P + T, device=tokens.device))  # [T, 768]
        x = self.embed(tokens) + x  # [N, T, 768]
        caches = []
        for layer, cache in zip(self.layers, past.unbind(0), strict=True):
            x, cache = layer(x, cache)
            caches.append(cache)
        present = torch.stack(caches)  # [12, 2, N, 12, P + T, 64]
        logits = self.norm(x) @ self.embed.weight.T  # [N, T, 50257]
        return logits, present

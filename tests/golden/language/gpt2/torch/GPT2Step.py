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
    """tokens: int64 [N, T], past: float32 [12, 2, N, heads, P, width // heads]
    -> logits: float32 [N, T, words], present: float32 [12, 2, N, heads, P + T,
    width // heads].
    """

    def __init__(
        self, words: int = 50257, context: int = 1024, width: int = 768, heads: int = 12
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.position = nn.Embedding(context, width)
        self.layers_0 = CachedLayer(width, width // heads, heads)
        self.layers_1 = CachedLayer(width, width // heads, heads)
        self.layers_2 = CachedLayer(width, width // heads, heads)
        self.layers_3 = CachedLayer(width, width // heads, heads)
        self.layers_4 = CachedLayer(width, width // heads, heads)
        self.layers_5 = CachedLayer(width, width // heads, heads)
        self.layers_6 = CachedLayer(width, width // heads, heads)
        self.layers_7 = CachedLayer(width, width // heads, heads)
        self.layers_8 = CachedLayer(width, width // heads, heads)
        self.layers_9 = CachedLayer(width, width // heads, heads)
        self.layers_10 = CachedLayer(width, width // heads, heads)
        self.layers_11 = CachedLayer(width, width // heads, heads)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        T = tokens.shape[1]
        P = past.shape[4]
        x = self.position(torch.arange(P, P + T, device=tokens.device))  # [T, width]
        x = self.embed(tokens) + x  # [N, T, width]
        h, y, z, x1, x2, x3, x4, x5, x6, x7, x8, x9 = past.unbind(0)
        x, cache = self.layers_0(x, h)
        x, cache1 = self.layers_1(x, y)
        x, cache2 = self.layers_2(x, z)
        x, cache3 = self.layers_3(x, x1)
        x, cache4 = self.layers_4(x, x2)
        x, cache5 = self.layers_5(x, x3)
        x, cache6 = self.layers_6(x, x4)
        x, cache7 = self.layers_7(x, x5)
        x, cache8 = self.layers_8(x, x6)
        x, cache9 = self.layers_9(x, x7)
        x, cache10 = self.layers_10(x, x8)
        x, cache11 = self.layers_11(x, x9)
        logits = self.norm(x) @ self.embed.weight.T  # [N, T, words]
        present = torch.stack(
            [
                cache,
                cache1,
                cache2,
                cache3,
                cache4,
                cache5,
                cache6,
                cache7,
                cache8,
                cache9,
                cache10,
                cache11,
            ]
        )
        return logits, present

"""GPT2.

Printed by dlspec 0.1.0 from specs/language/gpt2.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Self-attention in which no position sees a later one.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        N, T, D = x.shape
        x = self.qkv(x)  # [N, T, 3 * dim]
        x = x.reshape(N, T, 3, self.heads, D // self.heads)
        q, k, v = x.permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x.transpose(1, 2).reshape(N, T, D)  # [N, T, dim]
        return self.out(x)


class FeedForward(nn.Module):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, 4 * dim)
        self.linear2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.linear1(x), approximate="tanh")  # [N, T, 4 * dim]
        return self.linear2(x)


class Layer(nn.Module):
    """Two sublayers, around each of which the input is led.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.dropout1 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim)
        self.dropout2 = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout1(self.attention(self.norm1(x)))
        return x + self.dropout2(self.feed_forward(self.norm2(x)))


class GPT2(nn.Module):
    """tokens: int64 [N, T] -> logits: float32 [N, T, words]."""

    def __init__(
        self,
        words: int = 50257,
        context: int = 1024,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.position = nn.Embedding(context, width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential(
            *[Layer(width, heads, dropout) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        T = tokens.shape[1]
        x = self.position(torch.arange(T, device=tokens.device))  # [T, width]
        x = self.dropout(self.embed(tokens) + x)  # [N, T, width]
        x = self.norm(self.layers(x))
        return x @ self.embed.weight.T

"""TokenTransformer.

Printed by dlspec 0.1.0 from specs/training/bpe_transformer.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sinusoids(position: Tensor, channels: int) -> Tensor:
    """Positions as waves of growing length, a sine and a cosine of each: [T,
    channels].

    position: int64 [T] -> float32 [T, channels].
    """
    x = torch.arange(0, channels, 2, dtype=torch.int64, device=position.device)
    angle = position[:, None] / 10000 ** (x / channels)  # [T, D]
    x = torch.stack([torch.sin(angle), torch.cos(angle)], dim=2)  # [T, T, 2]
    return x.reshape(-1, 2 * ((channels + 1) // 2))


def split_heads(x: Tensor, heads: int) -> Tensor:
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    N, T, D = x.shape
    return x.reshape(N, T, heads, D // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    N, H, T, D = x.shape
    return x.transpose(1, 2).reshape(N, T, D * H)


class Attention(nn.Module):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, T, m], mask: bool [T, T]
    -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, m: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(m, dim)
        self.value = nn.Linear(m, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> Tensor:
        x = self.query(x)
        q = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.key(memory)  # [N, T, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.value(memory)  # [N, T, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(nn.Module):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.linear1(x))  # [N, T, hidden]
        return self.linear2(x)


class EncoderLayer(nn.Module):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, T, dim], mask: bool [T, T] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = Attention(dim, dim, heads)
        self.dropout1 = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class TokenTransformer(nn.Module):
    """text: int64 [N, T] -> logits: float32 [N, T, 512]."""

    def __init__(self, width: int = 128, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(512, width)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.encoder_layers = nn.ModuleList(
            [EncoderLayer(width, heads, 4 * width, dropout=0.0) for _ in range(depth)]
        )
        self.linear = nn.Linear(width, 512)

    def forward(self, text: Tensor) -> Tensor:
        T = text.shape[1]
        x = torch.arange(T, device=text.device)[:, None]  # [T, 1]
        earlier = x >= torch.arange(T, device=text.device)  # [T, T]
        x = self.embedding(text)  # [N, T, width]
        h = sinusoids(torch.arange(T, device=text.device), channels=self.width)
        x = x + 0.1 * h
        for block in self.encoder_layers:
            x = block(x, earlier)
        return self.linear(x)

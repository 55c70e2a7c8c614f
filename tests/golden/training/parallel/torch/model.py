"""Reader: 8 rows of 8 pixels; what the layers make of them is averaged.

Printed by dlspec 0.1.0 from specs/training/parallel.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def split_heads(x: Tensor, heads: int) -> Tensor:
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    _, T, D = x.shape
    return x.reshape(-1, T, heads, D // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    _, H, T, D = x.shape
    return x.transpose(1, 2).reshape(-1, T, D * H)


class Attention(nn.Module):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, S, m] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, m: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(m, dim)
        self.value = nn.Linear(m, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        x = self.query(x)
        q = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.key(memory)  # [N, S, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = self.value(memory)  # [N, S, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = F.scaled_dot_product_attention(q, k, v)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(nn.Module):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, 8, dim] -> float32 [N, 8, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.linear1(x))  # [N, 8, hidden]
        return self.linear2(x)


class EncoderLayer(nn.Module):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = Attention(dim, dim, heads)
        self.dropout1 = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout1(self.attention(x, x))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class Reader(nn.Module):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(
        self, width: int = 64, depth: int = 3, heads: int = 4, classes: int = 10
    ) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.empty(8, width).normal_(0.0, 0.02))
        self.linear1 = nn.Linear(8, width)
        self.encoder_layers = nn.Sequential(
            *[EncoderLayer(width, heads, 4 * width, dropout=0.0) for _ in range(depth)]
        )
        self.linear2 = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        x = image.reshape(-1, 8, 8)  # [N, 8, 8]
        x = self.linear1(x)  # [N, 8, width]
        x = x + self.place
        x = self.encoder_layers(x)
        x = x.mean(dim=1)  # [N, width]
        return self.linear2(x)

"""BERT.

Printed by dlspec 0.1.0 from specs/language/bert.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Embeddings(nn.Module):
    """The sum of what a word is, where it stands, and to which sentence it belongs.

    tokens: int64 [N, T], segment: int64 [N, T] -> float32 [N, T, width].
    """

    def __init__(
        self, words: int, positions: int, segments: int, width: int, dropout: float
    ) -> None:
        super().__init__()
        self.word = nn.Embedding(words, width)
        self.position = nn.Embedding(positions, width)
        self.kind = nn.Embedding(segments, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, segment: Tensor) -> Tensor:
        T = tokens.shape[1]
        x = self.position(torch.arange(T, device=tokens.device))  # [T, width]
        return self.dropout(self.norm(self.word(tokens) + x + self.kind(segment)))


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

    x: float32 [N, T, dim], memory: float32 [N, T, m], mask: bool [N, 1, 1, T]
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

    x: float32 [N, T, dim], mask: bool [N, 1, 1, T] -> float32 [N, T, dim].
    """

    def __init__(
        self, dim: int, heads: int, hidden: int, dropout: float = 0.1, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.attention = Attention(dim, dim, heads)
        self.dropout1 = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(dim, eps=eps)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class Encoder(nn.Module):
    """x: float32 [N, T, dim], visible: bool [N, T] -> x: float32 [N, T, dim]."""

    def __init__(
        self, dim: int, depth: int, heads: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.encoder_layers = nn.ModuleList(
            [
                EncoderLayer(dim, heads, hidden, dropout=dropout, eps=1e-12)
                for _ in range(depth)
            ]
        )

    def forward(self, x: Tensor, visible: Tensor) -> Tensor:
        mask = visible[:, None, None]  # [N, 1, 1, T]
        for block in self.encoder_layers:
            x = block(x, mask)
        return x


class BERT(nn.Module):
    """tokens: int64 [N, T], segment: int64 [N, T], visible: bool [N, T]
    -> sequence: float32 [N, T, width], pooled: float32 [N, width].
    """

    def __init__(
        self,
        words: int = 30522,
        positions: int = 512,
        segments: int = 2,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.embeddings = Embeddings(words, positions, segments, width, dropout)
        self.encoder = Encoder(width, depth, heads, hidden, dropout)
        self.pooler = nn.Linear(width, width)

    def forward(
        self, tokens: Tensor, segment: Tensor, visible: Tensor
    ) -> tuple[Tensor, Tensor]:
        x = self.embeddings(tokens, segment)  # [N, T, width]
        sequence = self.encoder(x, visible)
        x = sequence[:, 0]  # [N, width]
        pooled = torch.tanh(self.pooler(x))
        return sequence, pooled

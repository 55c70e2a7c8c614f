"""Answerer.

Printed by dlspec 0.1.0 from specs/training/addition.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sinusoids(position: Tensor, channels: int) -> Tensor:
    """Positions as waves of growing length, a sine and a cosine of each: [T,
    channels].

    position: int64 [L] -> float32 [N, channels].
    """
    x = torch.arange(0, channels, 2, dtype=torch.int64, device=position.device)
    angle = position[:, None] / 10000 ** (x / channels)  # [N, D]
    x = torch.stack([torch.sin(angle), torch.cos(angle)], dim=2)  # [N, T, 2]
    return x.reshape(-1, 2 * ((channels + 1) // 2))


def split_heads(x: Tensor, heads: int) -> Tensor:
    """x: float32 [N, T, D] -> float32 [N, heads, H, D // heads]."""
    N, S, D = x.shape
    return x.reshape(N, S, heads, D // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """x: float32 [N, H, H', D] -> float32 [N, T, D * H]."""
    N, H, S, D = x.shape
    return x.transpose(1, 2).reshape(N, S, D * H)


class Attention(nn.Module):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, S, m], mask: bool [N, 1, 1, S]
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
        q = split_heads(x, heads=self.heads)  # [N, heads, H, dim // heads]
        x = self.key(memory)  # [N, S, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = self.value(memory)  # [N, S, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class Attention2(nn.Module):
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
        x = F.relu(self.linear1(x))  # [N, T, hidden]
        return self.linear2(x)


class EncoderLayer(nn.Module):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, S, dim], mask: bool [N, 1, 1, S] -> float32 [N, S, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(dim, dim, heads)
        self.dropout1 = nn.Dropout(0.0)
        self.norm1 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = nn.Dropout(0.0)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class DecoderLayer(nn.Module):
    """The decoder's layer: x looks at itself, as far as `mask` lets it, and then at
    the encoder's result, `memory`.

    x: float32 [N, T, dim], memory: float32 [N, S, m], mask: bool [T, T],
    memory_mask: bool [N, 1, 1, S]
    -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, m: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attention = Attention2(dim, dim, heads)
        self.dropout1 = nn.Dropout(0.0)
        self.norm1 = nn.LayerNorm(dim)
        self.cross_attention = Attention(dim, m, heads)
        self.dropout2 = nn.Dropout(0.0)
        self.norm2 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout3 = nn.Dropout(0.0)
        self.norm3 = nn.LayerNorm(dim)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor
    ) -> Tensor:
        x = x + self.dropout1(self.self_attention(x, x, mask))
        x = self.norm1(x)
        h = self.dropout2(self.cross_attention(x, memory, memory_mask))
        x = self.norm2(x + h)
        x = x + self.dropout3(self.feed_forward(x))
        return self.norm3(x)


class Answerer(nn.Module):
    """asked: int64 [N, S], sofar: int64 [N, T] -> logits: float32 [N, T, 48]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(48, 64)
        nn.init.normal_(self.embed.weight, std=0.5)
        self.encoder_layers = nn.ModuleList(
            [EncoderLayer(64, 4, hidden=256) for _ in range(2)]
        )
        self.decoder_layers = nn.ModuleList(
            [DecoderLayer(64, 64, heads=4, hidden=256) for _ in range(2)]
        )
        self.linear = nn.Linear(64, 48)

    def forward(self, asked: Tensor, sofar: Tensor) -> Tensor:
        S = asked.shape[1]
        T = sofar.shape[1]
        visible = (asked != 0)[:, None, None]  # [N, 1, 1, S]
        x = torch.arange(T, device=asked.device)[:, None]  # [T, 1]
        earlier = x >= torch.arange(T, device=asked.device)  # [T, T]
        x = sinusoids(torch.arange(S, device=asked.device), channels=64)  # [S, 64]
        memory = self.embed(asked) + x  # [N, S, 64]
        for block in self.encoder_layers:
            memory = block(memory, visible)
        x = sinusoids(torch.arange(T, device=asked.device), channels=64)  # [T, 64]
        x = self.embed(sofar) + x  # [N, T, 64]
        for block2 in self.decoder_layers:
            x = block2(x, memory, earlier, visible)
        return self.linear(x)

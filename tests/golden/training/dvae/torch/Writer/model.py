"""Encoder, Decoder, Writer and Judge.

Printed by dlspec 0.1.0 from specs/training/dvae.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    """The log-odds of the words at each place, [N, places, words].

    image: float32 [N, 64] -> float32 [N, 4, 16].
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, width)
        self.linear2 = nn.Linear(width, 64)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        x = self.linear2(x)  # [N, 64]
        return x.reshape(-1, 4, 16)


class Decoder(nn.Module):
    """Words, or mixtures of them, to the log-odds of the pixels.

    chosen: float32 [N, 4, 16] -> float32 [N, 64].
    """

    def __init__(self, width: int = 256, dim: int = 16) -> None:
        super().__init__()
        self.linear1 = nn.Linear(16, dim, bias=False)
        self.linear2 = nn.Linear(4 * dim, width)
        self.linear3 = nn.Linear(width, 64)

    def forward(self, chosen: Tensor) -> Tensor:
        x = self.linear1(chosen)  # [N, 4, dim]
        x = x.flatten(1)  # [N, 4 * dim]
        x = F.relu(self.linear2(x))  # [N, width]
        return self.linear3(x)


def sinusoids(position: Tensor, channels: int) -> Tensor:
    """Positions as waves of growing length, a sine and a cosine of each: [T,
    channels].

    position: int64 [T] -> float32 [T, channels].
    """
    T = position.shape[0]
    x = torch.arange(0, channels, 2, dtype=torch.int64, device=position.device)
    angle = position[:, None] / 10000 ** (x / channels)  # [T, D]
    x = torch.stack([torch.sin(angle), torch.cos(angle)], dim=2)  # [T, T', 2]
    return x.reshape(T, 2 * ((channels + 1) // 2))


def split_heads(x: Tensor, heads: int) -> Tensor:
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    _, T, D = x.shape
    return x.reshape(-1, T, heads, D // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    _, H, T, D = x.shape
    x = x.transpose(1, 2)  # [N, T, H, D]
    return x.reshape(-1, T, D * H)


class Attention(nn.Module):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, S, m], mask: bool [N, D]
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
        x = self.key(memory)  # [N, S, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = self.value(memory)  # [N, S, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
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

    x: float32 [N, T, dim], mask: bool [N, D] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(dim, dim, heads)
        self.dropout1 = nn.Dropout(0.1)
        self.norm1 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = nn.Dropout(0.1)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class Next(nn.Module):
    """What was written so far to the log-odds of each next word. The first word says
    the digit.

    written: int64 [N, T] -> float32 [N, T, 16].
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(26, 64)
        nn.init.normal_(self.embedding.weight, std=0.5)
        self.encoder_layers = nn.ModuleList(
            [EncoderLayer(64, 4, hidden=256) for _ in range(2)]
        )
        self.linear = nn.Linear(64, 16)

    def forward(self, written: Tensor) -> Tensor:
        T = written.shape[1]
        x = torch.arange(T, device=written.device)[:, None]  # [T, 1]
        earlier = x >= torch.arange(T, device=written.device)  # [T, T]
        x = sinusoids(torch.arange(T, device=written.device), channels=64)  # [T, 64]
        x = self.embedding(written) + x  # [N, T, 64]
        for block in self.encoder_layers:
            x = block(x, earlier)
        return self.linear(x)


class Writer(nn.Module):
    """The log-odds of each word of an image, given the digit and the words before
    it; and words of its own.

    label: int64 [N], chosen: int64 [N, 4], noise: float32 [N, 4, 16]
    -> logits: float32 [N, 4, 16], answer: int64 [N, 4].
    """

    def __init__(self) -> None:
        super().__init__()
        self.next_ = Next()

    def forward(
        self, label: Tensor, chosen: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        first = label[:, None] + 16  # [N, 1]
        x = torch.cat([first, chosen[:, :3]], dim=1)
        logits = self.next_(x)  # [N, 4, 16]
        x = self.next_(first)  # [N, 1, 16]
        x = x[:, 0] + noise[:, 0]  # [N, 16]
        x = x.argmax(dim=1)[:, None]  # [N, 1]
        written = torch.cat([first, x], dim=1)  # [N, 2]
        x = self.next_(written)  # [N, 2, 16]
        x = x[:, 1] + noise[:, 1]  # [N, 16]
        x = x.argmax(dim=1)[:, None]  # [N, 1]
        written = torch.cat([written, x], dim=1)  # [N, 3]
        x = self.next_(written)  # [N, 3, 16]
        x = x[:, 2] + noise[:, 2]  # [N, 16]
        x = x.argmax(dim=1)[:, None]  # [N, 1]
        written = torch.cat([written, x], dim=1)  # [N, 4]
        x = self.next_(written)  # [N, 4, 16]
        x = x[:, 3] + noise[:, 3]  # [N, 16]
        x = x.argmax(dim=1)[:, None]  # [N, 1]
        written = torch.cat([written, x], dim=1)  # [N, 5]
        answer = written[:, 1:]  # [N, 4]
        return logits, answer


class Judge(nn.Module):
    """An image to the digit on it.

    image: float32 [N, 64] -> logits: float32 [N, 10].
    """

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, width)
        self.linear2 = nn.Linear(width, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

"""DALLE: `text` are tokens of a vocabulary of 16384; at place p that is left over
stands 16384 + p, each a token of its own.

Printed by dlspec 0.1.0 from specs/multimodal/dalle.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def seen(place: Tensor, text: int, side: int) -> Tensor:
    """Which places [T] of the stream see which others, [T, T]: those before, if they
    are text or, as `kind` says, near.

    place: int64 [T] -> bool [T, T].
    """
    behind = place[:, None] - place  # [T, T]
    near = behind <= side
    return (behind >= 0) & ((place < text) | near)


def seen_column(place: Tensor, text: int, side: int) -> Tensor:
    """Which places [T] of the stream see which others, [T, T]: those before, if they
    are text or, as `kind` says, near.

    place: int64 [T] -> bool [T, T].
    """
    behind = place[:, None] - place  # [T, T]
    near = behind % side == 0
    return (behind >= 0) & ((place < text) | near)


def seen_around(place: Tensor, text: int, side: int, kernel: int = 11) -> Tensor:
    """Which places [T] of the stream see which others, [T, T]: those before, if they
    are text or, as `kind` says, near.

    place: int64 [T] -> bool [T, T].
    """
    behind = place[:, None] - place  # [T, T]
    near = ((behind + kernel // 2) % side < kernel) & (
        (behind + kernel // 2) // side <= kernel // 2
    )
    return (behind >= 0) & ((place < text) | near)


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

    x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        h = self.query(x)
        q = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        h = self.key(x)
        k = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.value(x)
        v = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(nn.Module):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, 1280, dim] -> float32 [N, 1280, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim, hidden)
        self.linear2 = nn.Linear(hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.linear1(x))  # [N, 1280, hidden]
        return self.linear2(x)


class Layer(nn.Module):
    """Two sublayers, around each of which the input is led; x sees where `mask` [T,
    T] is true.

    x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.feed_forward = FeedForward(dim, 4 * dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x), mask)
        return x + self.feed_forward(self.norm2(x))


class FourLayers(nn.Module):
    """The order of layers that is repeated.

    x: float32 [N, 1280, dim], by_row: bool [1280, 1280], by_column: bool [1280,
    1280]
    -> x: float32 [N, 1280, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.layer1 = Layer(dim, heads)
        self.layer2 = Layer(dim, heads)
        self.layer3 = Layer(dim, heads)
        self.layer4 = Layer(dim, heads)

    def forward(self, x: Tensor, by_row: Tensor, by_column: Tensor) -> Tensor:
        x = self.layer1(x, by_row)
        x = self.layer2(x, by_column)
        x = self.layer3(x, by_row)
        return self.layer4(x, by_row)


class DALLE(nn.Module):
    """caption: int64 [N, 256], image: int64 [N, 1024]
    -> next_word: float32 [N, 255, 16640], next_code: float32 [N, 1024, codes].
    """

    def __init__(
        self,
        codes: int = 8192,
        width: int = 3968,
        depth: int = 64,
        heads: int = 62,
        kernel: int = 11,
    ) -> None:
        super().__init__()
        self.width = width
        self.kernel = kernel
        self.row = nn.Embedding(32, width)
        self.column = nn.Embedding(32, width)
        self.word = nn.Embedding(16640, width)
        self.order = nn.Embedding(256, width)
        self.code = nn.Embedding(codes, width)
        self.four_layers = nn.ModuleList(
            [FourLayers(width, heads) for _ in range(depth // 4 - 1)]
        )
        self.layer1 = Layer(width, heads)
        self.layer2 = Layer(width, heads)
        self.layer3 = Layer(width, heads)
        self.layer4 = Layer(width, heads)
        self.norm = nn.LayerNorm(width)

    def forward(self, caption: Tensor, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.row(torch.arange(32, device=caption.device))  # [32, width]
        x = x[:, None] + self.column(torch.arange(32, device=caption.device))
        cell = x.reshape(1024, self.width)  # [1024, width]
        x = self.order(torch.arange(256, device=caption.device))  # [256, width]
        x = self.word(caption) + x  # [N, 256, width]
        h = self.code(image) + cell  # [N, 1024, width]
        x = torch.cat([x, h], dim=1)  # [N, 1280, width]
        place = torch.arange(1280, device=caption.device)  # [1280]
        by_row = seen(place, text=256, side=32)  # [1280, 1280]
        by_column = seen_column(place, text=256, side=32)  # [1280, 1280]
        around = seen_around(place, text=256, side=32, kernel=self.kernel)
        for block in self.four_layers:
            x = block(x, by_row, by_column)
        x = self.layer1(x, by_row)
        x = self.layer2(x, by_column)
        x = self.layer3(x, by_row)
        x = self.layer4(x, around)
        x = self.norm(x)
        next_word = x[:, :255] @ self.word.weight.T  # [N, 255, 16640]
        next_code = x[:, 255:1279] @ self.code.weight.T  # [N, 1024, codes]
        return next_word, next_code

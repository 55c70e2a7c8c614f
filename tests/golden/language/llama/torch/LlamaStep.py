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
    """tokens: int64 [N, T], past: float32 [32, 2, N, kv_heads, P, width // heads]
    -> logits: float32 [N, T, words], present: float32 [32, 2, N, kv_heads, P + T,
    width // heads].
    """

    def __init__(
        self,
        words: int = 128256,
        width: int = 4096,
        heads: int = 32,
        kv_heads: int = 8,
        hidden: int = 14336,
        theta: int = 500000,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.layers_0 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_1 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_2 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_3 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_4 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_5 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_6 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_7 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_8 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_9 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_10 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_11 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_12 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_13 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_14 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_15 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_16 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_17 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_18 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_19 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_20 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_21 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_22 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_23 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_24 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_25 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_26 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_27 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_28 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_29 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_30 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.layers_31 = CachedLayer(
            width, width // heads, heads, kv_heads, hidden, theta
        )
        self.norm = nn.RMSNorm(width, eps=1e-5)
        self.head = nn.Linear(width, words, bias=False)

    def forward(self, tokens: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        x = self.embed(tokens)  # [N, T, width]
        h, y, z, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29 = past.unbind(
            0
        )
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
        x, cache12 = self.layers_12(x, x10)
        x, cache13 = self.layers_13(x, x11)
        x, cache14 = self.layers_14(x, x12)
        x, cache15 = self.layers_15(x, x13)
        x, cache16 = self.layers_16(x, x14)
        x, cache17 = self.layers_17(x, x15)
        x, cache18 = self.layers_18(x, x16)
        x, cache19 = self.layers_19(x, x17)
        x, cache20 = self.layers_20(x, x18)
        x, cache21 = self.layers_21(x, x19)
        x, cache22 = self.layers_22(x, x20)
        x, cache23 = self.layers_23(x, x21)
        x, cache24 = self.layers_24(x, x22)
        x, cache25 = self.layers_25(x, x23)
        x, cache26 = self.layers_26(x, x24)
        x, cache27 = self.layers_27(x, x25)
        x, cache28 = self.layers_28(x, x26)
        x, cache29 = self.layers_29(x, x27)
        x, cache30 = self.layers_30(x, x28)
        x, cache31 = self.layers_31(x, x29)
        logits = self.head(self.norm(x))  # [N, T, words]
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
                cache12,
                cache13,
                cache14,
                cache15,
                cache16,
                cache17,
                cache18,
                cache19,
                cache20,
                cache21,
                cache22,
                cache23,
                cache24,
                cache25,
                cache26,
                cache27,
                cache28,
                cache29,
                cache30,
                cache31,
            ]
        )
        return logits, present

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


class Attention(nn.Module):
    """Self-attention where `mask` [T, T] is true.

    x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        _, T, D = x.shape
        x = self.qkv(x)  # [N, T, 3 * dim]
        x = x.reshape(-1, T, 3, self.heads, D // self.heads)
        q, k, v = x.permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        x = x.transpose(1, 2).reshape(-1, T, D)  # [N, T, dim]
        return self.out(x)


class Layer(nn.Module):
    """x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim]."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, 4 * dim)
        self.linear2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x), mask)
        h = F.gelu(self.linear1(self.norm2(x)))  # [N, T, 4 * dim]
        return x + self.linear2(h)


class DALLE(nn.Module):
    """caption: int64 [N, 256], image: int64 [N, 1024]
    -> next_word: float32 [N, 255, 16640], next_code: float32 [N, 1024, codes].
    """

    def __init__(
        self, codes: int = 8192, width: int = 3968, heads: int = 62, kernel: int = 11
    ) -> None:
        super().__init__()
        self.width = width
        self.kernel = kernel
        self.row = nn.Embedding(32, width)
        self.column = nn.Embedding(32, width)
        self.word = nn.Embedding(16640, width)
        self.order = nn.Embedding(256, width)
        self.code = nn.Embedding(codes, width)
        self.layers_0 = Layer(width, heads)
        self.layers_1 = Layer(width, heads)
        self.layers_2 = Layer(width, heads)
        self.layers_3 = Layer(width, heads)
        self.layers_4 = Layer(width, heads)
        self.layers_5 = Layer(width, heads)
        self.layers_6 = Layer(width, heads)
        self.layers_7 = Layer(width, heads)
        self.layers_8 = Layer(width, heads)
        self.layers_9 = Layer(width, heads)
        self.layers_10 = Layer(width, heads)
        self.layers_11 = Layer(width, heads)
        self.layers_12 = Layer(width, heads)
        self.layers_13 = Layer(width, heads)
        self.layers_14 = Layer(width, heads)
        self.layers_15 = Layer(width, heads)
        self.layers_16 = Layer(width, heads)
        self.layers_17 = Layer(width, heads)
        self.layers_18 = Layer(width, heads)
        self.layers_19 = Layer(width, heads)
        self.layers_20 = Layer(width, heads)
        self.layers_21 = Layer(width, heads)
        self.layers_22 = Layer(width, heads)
        self.layers_23 = Layer(width, heads)
        self.layers_24 = Layer(width, heads)
        self.layers_25 = Layer(width, heads)
        self.layers_26 = Layer(width, heads)
        self.layers_27 = Layer(width, heads)
        self.layers_28 = Layer(width, heads)
        self.layers_29 = Layer(width, heads)
        self.layers_30 = Layer(width, heads)
        self.layers_31 = Layer(width, heads)
        self.layers_32 = Layer(width, heads)
        self.layers_33 = Layer(width, heads)
        self.layers_34 = Layer(width, heads)
        self.layers_35 = Layer(width, heads)
        self.layers_36 = Layer(width, heads)
        self.layers_37 = Layer(width, heads)
        self.layers_38 = Layer(width, heads)
        self.layers_39 = Layer(width, heads)
        self.layers_40 = Layer(width, heads)
        self.layers_41 = Layer(width, heads)
        self.layers_42 = Layer(width, heads)
        self.layers_43 = Layer(width, heads)
        self.layers_44 = Layer(width, heads)
        self.layers_45 = Layer(width, heads)
        self.layers_46 = Layer(width, heads)
        self.layers_47 = Layer(width, heads)
        self.layers_48 = Layer(width, heads)
        self.layers_49 = Layer(width, heads)
        self.layers_50 = Layer(width, heads)
        self.layers_51 = Layer(width, heads)
        self.layers_52 = Layer(width, heads)
        self.layers_53 = Layer(width, heads)
        self.layers_54 = Layer(width, heads)
        self.layers_55 = Layer(width, heads)
        self.layers_56 = Layer(width, heads)
        self.layers_57 = Layer(width, heads)
        self.layers_58 = Layer(width, heads)
        self.layers_59 = Layer(width, heads)
        self.layers_60 = Layer(width, heads)
        self.layers_61 = Layer(width, heads)
        self.layers_62 = Layer(width, heads)
        self.layers_63 = Layer(width, heads)
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
        x = self.layers_0(x, by_row)
        x = self.layers_1(x, by_column)
        x = self.layers_2(x, by_row)
        x = self.layers_3(x, by_row)
        x = self.layers_4(x, by_row)
        x = self.layers_5(x, by_column)
        x = self.layers_6(x, by_row)
        x = self.layers_7(x, by_row)
        x = self.layers_8(x, by_row)
        x = self.layers_9(x, by_column)
        x = self.layers_10(x, by_row)
        x = self.layers_11(x, by_row)
        x = self.layers_12(x, by_row)
        x = self.layers_13(x, by_column)
        x = self.layers_14(x, by_row)
        x = self.layers_15(x, by_row)
        x = self.layers_16(x, by_row)
        x = self.layers_17(x, by_column)
        x = self.layers_18(x, by_row)
        x = self.layers_19(x, by_row)
        x = self.layers_20(x, by_row)
        x = self.layers_21(x, by_column)
        x = self.layers_22(x, by_row)
        x = self.layers_23(x, by_row)
        x = self.layers_24(x, by_row)
        x = self.layers_25(x, by_column)
        x = self.layers_26(x, by_row)
        x = self.layers_27(x, by_row)
        x = self.layers_28(x, by_row)
        x = self.layers_29(x, by_column)
        x = self.layers_30(x, by_row)
        x = self.layers_31(x, by_row)
        x = self.layers_32(x, by_row)
        x = self.layers_33(x, by_column)
        x = self.layers_34(x, by_row)
        x = self.layers_35(x, by_row)
        x = self.layers_36(x, by_row)
        x = self.layers_37(x, by_column)
        x = self.layers_38(x, by_row)
        x = self.layers_39(x, by_row)
        x = self.layers_40(x, by_row)
        x = self.layers_41(x, by_column)
        x = self.layers_42(x, by_row)
        x = self.layers_43(x, by_row)
        x = self.layers_44(x, by_row)
        x = self.layers_45(x, by_column)
        x = self.layers_46(x, by_row)
        x = self.layers_47(x, by_row)
        x = self.layers_48(x, by_row)
        x = self.layers_49(x, by_column)
        x = self.layers_50(x, by_row)
        x = self.layers_51(x, by_row)
        x = self.layers_52(x, by_row)
        x = self.layers_53(x, by_column)
        x = self.layers_54(x, by_row)
        x = self.layers_55(x, by_row)
        x = self.layers_56(x, by_row)
        x = self.layers_57(x, by_column)
        x = self.layers_58(x, by_row)
        x = self.layers_59(x, by_row)
        x = self.layers_60(x, by_row)
        x = self.layers_61(x, by_column)
        x = self.layers_62(x, by_row)
        x = self.layers_63(x, around)
        x = self.norm(x)
        next_word = x[:, :255] @ self.word.weight.T  # [N, 255, 16640]
        next_code = x[:, 255:1279] @ self.code.weight.T  # [N, 1024, codes]
        return next_word, next_code

"""UNet: 32 -> 16 -> 8 -> 4 pixels and back, with attention at 16; `t` counts the steps
of noise from 0.

Printed by dlspec 0.1.0 from specs/generative/ddpm.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def timestep_embedding(t: Tensor, width: int) -> Tensor:
    """A step's number as sines and cosines of falling frequency: [N] to [N, width].

    t: int64 [N] -> float32 [N, width].
    """
    x = torch.arange(width // 2, device=t.device) * -0.14619587892025687
    angles = t[:, None] * torch.exp(x)  # [N, width // 2]
    return torch.cat([torch.sin(angles), torch.cos(angles)], dim=1)


class ResBlock(nn.Module):
    """Two convolutions, with the time added between them, around which the input is
    led.

    x: float32 [N, in_channels, H, W], time: float32 [N, dim]
    -> float32 [N, channels, H, W].
    """

    def __init__(
        self, in_channels: int, dim: int, channels: int, dropout: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(32, in_channels, eps=1e-6)
        self.conv1 = nn.Conv2d(in_channels, channels, 3, padding=1)
        self.linear = nn.Linear(dim, channels)
        self.norm2 = nn.GroupNorm(32, channels, eps=1e-6)
        self.dropout = nn.Dropout(dropout)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv3 = None
        if in_channels != channels:
            self.conv3 = nn.Conv2d(in_channels, channels, 1)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))  # [N, channels, H, W]
        y = self.linear(F.silu(time))  # [N, channels]
        h = h + y[:, :, None, None]
        y = self.dropout(F.silu(self.norm2(h)))
        h = self.conv2(y)
        skip = x if self.conv3 is None else self.conv3(x)  # [N, channels, H, W]
        return skip + h


class Downsample(nn.Module):
    """Half and twice the size; a stride of 2 leaves off the row and the column
    before the first.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H'', W''].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, in_channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, 1, 0, 1))  # [N, in_channels, H', W']
        return self.conv(x)


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

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        h = self.query(x)
        q = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        h = self.key(x)
        k = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.value(x)
        v = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = F.scaled_dot_product_attention(q, k, v)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class SelfAttention(nn.Module):
    """Every place of the image looks at every other, with one head.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H, W].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(32, in_channels, eps=1e-6)
        self.attention = Attention(in_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        _, C, H, W = x.shape
        h = self.norm(x)
        h = h.permute(0, 2, 3, 1).reshape(-1, H * W, C)  # [N, H * W, in_channels]
        h = self.attention(h)
        return x + h.reshape(-1, H, W, C).permute(0, 3, 1, 2)


class Upsample(nn.Module):
    """x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, 2 * H, 2 * W]."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, in_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, scale_factor=2)  # [N, in_channels, 2 * H, 2 * W]
        return self.conv(x)


class UNet(nn.Module):
    """image: float32 [N, 3, 32, 32], t: int64 [N] -> noise: float32 [N, 3, 32, 32]."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.linear1 = nn.Linear(128, 512)
        self.linear2 = nn.Linear(512, 512)
        self.conv1 = nn.Conv2d(3, 128, 3, padding=1)
        self.res_block1 = ResBlock(128, 512, channels=128, dropout=dropout)
        self.res_block2 = ResBlock(128, 512, channels=128, dropout=dropout)
        self.downsample1 = Downsample(128)
        self.res_block3 = ResBlock(128, 512, channels=256, dropout=dropout)
        self.self_attention1 = SelfAttention(256)
        self.res_block4 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.self_attention2 = SelfAttention(256)
        self.downsample2 = Downsample(256)
        self.res_block5 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.res_block6 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.downsample3 = Downsample(256)
        self.res_block7 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.res_block8 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.res_block9 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.self_attention3 = SelfAttention(256)
        self.res_block10 = ResBlock(256, 512, channels=256, dropout=dropout)
        self.res_block11 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.res_block12 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.res_block13 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.upsample1 = Upsample(256)
        self.res_block14 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.res_block15 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.res_block16 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.upsample2 = Upsample(256)
        self.res_block17 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.self_attention4 = SelfAttention(256)
        self.res_block18 = ResBlock(512, 512, channels=256, dropout=dropout)
        self.self_attention5 = SelfAttention(256)
        self.res_block19 = ResBlock(384, 512, channels=256, dropout=dropout)
        self.self_attention6 = SelfAttention(256)
        self.upsample3 = Upsample(256)
        self.res_block20 = ResBlock(384, 512, channels=128, dropout=dropout)
        self.res_block21 = ResBlock(256, 512, channels=128, dropout=dropout)
        self.res_block22 = ResBlock(256, 512, channels=128, dropout=dropout)
        self.norm = nn.GroupNorm(32, 128, eps=1e-6)
        self.conv2 = nn.Conv2d(128, 3, 3, padding=1)

    def forward(self, image: Tensor, t: Tensor) -> Tensor:
        x = timestep_embedding(t, width=128)  # [N, 128]
        x = F.silu(self.linear1(x))  # [N, 512]
        time = self.linear2(x)
        h = self.conv1(image)  # [N, 128, 32, 32]
        h1 = self.res_block1(h, time)
        h2 = self.res_block2(h1, time)
        h3 = self.downsample1(h2)  # [N, 128, 16, 16]
        h4 = self.res_block3(h3, time)  # [N, 256, 16, 16]
        h4 = self.self_attention1(h4)
        h5 = self.res_block4(h4, time)
        h5 = self.self_attention2(h5)
        h6 = self.downsample2(h5)  # [N, 256, 8, 8]
        h7 = self.res_block5(h6, time)
        h8 = self.res_block6(h7, time)
        h9 = self.downsample3(h8)  # [N, 256, 4, 4]
        h10 = self.res_block7(h9, time)
        h11 = self.res_block8(h10, time)
        h12 = self.res_block9(h11, time)
        h12 = self.self_attention3(h12)
        h12 = self.res_block10(h12, time)
        x = torch.cat([h12, h11], dim=1)  # [N, 512, 4, 4]
        h11 = self.res_block11(x, time)  # [N, 256, 4, 4]
        x = torch.cat([h11, h10], dim=1)  # [N, 512, 4, 4]
        h10 = self.res_block12(x, time)  # [N, 256, 4, 4]
        x = torch.cat([h10, h9], dim=1)  # [N, 512, 4, 4]
        h9 = self.res_block13(x, time)  # [N, 256, 4, 4]
        h9 = self.upsample1(h9)  # [N, 256, 8, 8]
        x = torch.cat([h9, h8], dim=1)  # [N, 512, 8, 8]
        h8 = self.res_block14(x, time)  # [N, 256, 8, 8]
        x = torch.cat([h8, h7], dim=1)  # [N, 512, 8, 8]
        h7 = self.res_block15(x, time)  # [N, 256, 8, 8]
        x = torch.cat([h7, h6], dim=1)  # [N, 512, 8, 8]
        h6 = self.res_block16(x, time)  # [N, 256, 8, 8]
        h6 = self.upsample2(h6)  # [N, 256, 16, 16]
        x = torch.cat([h6, h5], dim=1)  # [N, 512, 16, 16]
        h5 = self.res_block17(x, time)  # [N, 256, 16, 16]
        h5 = self.self_attention4(h5)
        x = torch.cat([h5, h4], dim=1)  # [N, 512, 16, 16]
        h4 = self.res_block18(x, time)  # [N, 256, 16, 16]
        h4 = self.self_attention5(h4)
        x = torch.cat([h4, h3], dim=1)  # [N, 384, 16, 16]
        h3 = self.res_block19(x, time)  # [N, 256, 16, 16]
        h3 = self.self_attention6(h3)
        h3 = self.upsample3(h3)  # [N, 256, 32, 32]
        x = torch.cat([h3, h2], dim=1)  # [N, 384, 32, 32]
        h2 = self.res_block20(x, time)  # [N, 128, 32, 32]
        x = torch.cat([h2, h1], dim=1)  # [N, 256, 32, 32]
        h1 = self.res_block21(x, time)  # [N, 128, 32, 32]
        x = torch.cat([h1, h], dim=1)  # [N, 256, 32, 32]
        h = self.res_block22(x, time)  # [N, 128, 32, 32]
        return self.conv2(F.silu(self.norm(h)))

"""UNet: 32 -> 16 -> 8 -> 4 pixels and back, with attention at 16; `t` counts the steps
of noise from 0.

Printed by dlspec 0.1.0 from specs/generative/ddpm.dls.
"""

import keras
from keras import layers, ops


def attention(q, k, v, mask=None, causal: bool = False, scale: float | None = None):
    """Scaled dot-product attention; a query that may see nothing gives zero.

    With fewer heads in k and v than in q, each serves several heads in a row.
    """
    if q.ndim > 2 and k.shape[-3] != q.shape[-3]:
        k, v = (ops.repeat(x, q.shape[-3] // k.shape[-3], axis=-3) for x in (k, v))
    scale = q.shape[-1] ** -0.5 if scale is None else scale
    scores = ops.matmul(q, ops.swapaxes(k, -1, -2)) * scale
    if causal:
        queries, keys = ops.shape(scores)[-2:]
        seen = ops.arange(queries)[:, None] >= ops.arange(keys)
        mask = seen if mask is None else ops.logical_and(mask, seen)
    if mask is None:
        return ops.matmul(ops.softmax(scores), v)
    weights = ops.softmax(ops.where(mask, scores, -1e30))
    return ops.matmul(ops.where(mask, weights, 0.0), v)


def timestep_embedding(t, width: int):
    """A step's number as sines and cosines of falling frequency: [N] to [N, width].

    t: int64 [N] -> float32 [N, width].
    """
    x = ops.arange(width // 2, dtype="int64")  # [width // 2]
    x = ops.multiply(x, -0.14619587892025687)
    angles = ops.multiply(t[:, None], ops.exp(x))  # [N, width // 2]
    return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1)


class ResBlock(layers.Layer):
    """Two convolutions, with the time added between them, around which the input is
    led.

    x: float32 [N, H, W, in_channels], time: float32 [N, E]
    -> float32 [N, H, W, channels].
    """

    def __init__(self, in_channels: int, channels: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = layers.GroupNormalization(32, epsilon=1e-6)
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels, 3)
        self.linear = layers.Dense(channels)
        self.norm2 = layers.GroupNormalization(32, epsilon=1e-6)
        self.dropout = layers.Dropout(dropout)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels, 3)
        self.conv3 = None
        if in_channels != channels:
            self.conv3 = layers.Conv2D(channels, 1)

    def call(self, x, time):
        y = ops.silu(self.norm1(x))
        y = self.pad(y)  # [N, H + 2, W + 2, in_channels]
        h = self.conv1(y)  # [N, H, W, channels]
        y = self.linear(ops.silu(time))  # [N, channels]
        y = ops.transpose(y[:, :, None, None], (0, 2, 3, 1))  # [N, 1, 1, channels]
        h = h + y
        y = self.dropout(ops.silu(self.norm2(h)))
        y = self.pad2(y)  # [N, H + 2, W + 2, channels]
        h = self.conv2(y)  # [N, H, W, channels]
        skip = x if self.conv3 is None else self.conv3(x)  # [N, H, W, channels]
        return skip + h


class Downsample(layers.Layer):
    """Half and twice the size; a stride of 2 leaves off the row and the column
    before the first.

    x: float32 [N, H, W, in_channels] -> float32 [N, H'', W'', in_channels].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv = layers.Conv2D(in_channels, 3, strides=2)

    def call(self, x):
        x = ops.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)))  # [N, H', W', in_channels]
        return self.conv(x)


def split_heads(x, heads: int):
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    _, T, D = ops.shape(x)
    x = ops.reshape(x, (-1, T, heads, D // heads))  # [N, T, heads, D // heads]
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x):
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    _, H, T, D = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, H, D]
    return ops.reshape(x, (-1, T, D * H))


class Attention(layers.Layer):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = layers.Dense(dim)
        self.key = layers.Dense(dim)
        self.value = layers.Dense(dim)
        self.out = layers.Dense(dim)

    def call(self, x):
        h = self.query(x)
        q = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        h = self.key(x)
        k = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.value(x)
        v = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = attention(q, k, v)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class SelfAttention(layers.Layer):
    """Every place of the image looks at every other, with one head.

    x: float32 [N, H, W, in_channels] -> float32 [N, H, W, in_channels].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.norm = layers.GroupNormalization(32, epsilon=1e-6)
        self.attention = Attention(in_channels, 1)

    def call(self, x):
        _, H, W, C = ops.shape(x)
        h = ops.reshape(self.norm(x), (-1, H * W, C))  # [N, H * W, in_channels]
        h = self.attention(h)
        return x + ops.reshape(h, (-1, H, W, C))


class Upsample(layers.Layer):
    """x: float32 [N, H, W, in_channels] -> float32 [N, 2 * H, 2 * W, in_channels]."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.resize = layers.UpSampling2D(2)
        self.pad = layers.ZeroPadding2D(1)
        self.conv = layers.Conv2D(in_channels, 3)

    def call(self, x):
        x = self.resize(x)  # [N, 2 * H, 2 * W, in_channels]
        x = self.pad(x)  # [N, 2 * H + 2, 2 * W + 2, in_channels]
        return self.conv(x)


class UNet(keras.Model):
    """image: float32 [N, 3, 32, 32], t: int64 [N] -> noise: float32 [N, 3, 32, 32]."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.linear1 = layers.Dense(512)
        self.linear2 = layers.Dense(512)
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(128, 3)
        self.res_block1 = ResBlock(128, 128, dropout)
        self.res_block2 = ResBlock(128, 128, dropout)
        self.downsample1 = Downsample(128)
        self.res_block3 = ResBlock(128, 256, dropout)
        self.self_attention1 = SelfAttention(256)
        self.res_block4 = ResBlock(256, 256, dropout)
        self.self_attention2 = SelfAttention(256)
        self.downsample2 = Downsample(256)
        self.res_block5 = ResBlock(256, 256, dropout)
        self.res_block6 = ResBlock(256, 256, dropout)
        self.downsample3 = Downsample(256)
        self.res_block7 = ResBlock(256, 256, dropout)
        self.res_block8 = ResBlock(256, 256, dropout)
        self.res_block9 = ResBlock(256, 256, dropout)
        self.self_attention3 = SelfAttention(256)
        self.res_block10 = ResBlock(256, 256, dropout)
        self.res_block11 = ResBlock(512, 256, dropout)
        self.res_block12 = ResBlock(512, 256, dropout)
        self.res_block13 = ResBlock(512, 256, dropout)
        self.upsample1 = Upsample(256)
        self.res_block14 = ResBlock(512, 256, dropout)
        self.res_block15 = ResBlock(512, 256, dropout)
        self.res_block16 = ResBlock(512, 256, dropout)
        self.upsample2 = Upsample(256)
        self.res_block17 = ResBlock(512, 256, dropout)
        self.self_attention4 = SelfAttention(256)
        self.res_block18 = ResBlock(512, 256, dropout)
        self.self_attention5 = SelfAttention(256)
        self.res_block19 = ResBlock(384, 256, dropout)
        self.self_attention6 = SelfAttention(256)
        self.upsample3 = Upsample(256)
        self.res_block20 = ResBlock(384, 128, dropout)
        self.res_block21 = ResBlock(256, 128, dropout)
        self.res_block22 = ResBlock(256, 128, dropout)
        self.norm = layers.GroupNormalization(32, epsilon=1e-6)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(3, 3)

    def call(self, image, t):
        x = timestep_embedding(t, width=128)  # [N, 128]
        x = ops.silu(self.linear1(x))  # [N, 512]
        time = self.linear2(x)
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 32, 32, 3]
        x = self.pad(x)  # [N, 34, 34, 3]
        h = self.conv1(x)  # [N, 32, 32, 128]
        h1 = self.res_block1(h, time)
        h2 = self.res_block2(h1, time)
        h3 = self.downsample1(h2)  # [N, 16, 16, 128]
        h4 = self.res_block3(h3, time)  # [N, 16, 16, 256]
        h4 = self.self_attention1(h4)
        h5 = self.res_block4(h4, time)
        h5 = self.self_attention2(h5)
        h6 = self.downsample2(h5)  # [N, 8, 8, 256]
        h7 = self.res_block5(h6, time)
        h8 = self.res_block6(h7, time)
        h9 = self.downsample3(h8)  # [N, 4, 4, 256]
        h10 = self.res_block7(h9, time)
        h11 = self.res_block8(h10, time)
        h12 = self.res_block9(h11, time)
        h12 = self.self_attention3(h12)
        h12 = self.res_block10(h12, time)
        x = ops.concatenate([h12, h11], axis=3)  # [N, 4, 4, 512]
        h11 = self.res_block11(x, time)  # [N, 4, 4, 256]
        x = ops.concatenate([h11, h10], axis=3)  # [N, 4, 4, 512]
        h10 = self.res_block12(x, time)  # [N, 4, 4, 256]
        x = ops.concatenate([h10, h9], axis=3)  # [N, 4, 4, 512]
        h9 = self.res_block13(x, time)  # [N, 4, 4, 256]
        h9 = self.upsample1(h9)  # [N, 8, 8, 256]
        x = ops.concatenate([h9, h8], axis=3)  # [N, 8, 8, 512]
        h8 = self.res_block14(x, time)  # [N, 8, 8, 256]
        x = ops.concatenate([h8, h7], axis=3)  # [N, 8, 8, 512]
        h7 = self.res_block15(x, time)  # [N, 8, 8, 256]
        x = ops.concatenate([h7, h6], axis=3)  # [N, 8, 8, 512]
        h6 = self.res_block16(x, time)  # [N, 8, 8, 256]
        h6 = self.upsample2(h6)  # [N, 16, 16, 256]
        x = ops.concatenate([h6, h5], axis=3)  # [N, 16, 16, 512]
        h5 = self.res_block17(x, time)  # [N, 16, 16, 256]
        h5 = self.self_attention4(h5)
        x = ops.concatenate([h5, h4], axis=3)  # [N, 16, 16, 512]
        h4 = self.res_block18(x, time)  # [N, 16, 16, 256]
        h4 = self.self_attention5(h4)
        x = ops.concatenate([h4, h3], axis=3)  # [N, 16, 16, 384]
        h3 = self.res_block19(x, time)  # [N, 16, 16, 256]
        h3 = self.self_attention6(h3)
        h3 = self.upsample3(h3)  # [N, 32, 32, 256]
        x = ops.concatenate([h3, h2], axis=3)  # [N, 32, 32, 384]
        h2 = self.res_block20(x, time)  # [N, 32, 32, 128]
        x = ops.concatenate([h2, h1], axis=3)  # [N, 32, 32, 256]
        h1 = self.res_block21(x, time)  # [N, 32, 32, 128]
        x = ops.concatenate([h1, h], axis=3)  # [N, 32, 32, 256]
        h = self.res_block22(x, time)  # [N, 32, 32, 128]
        x = ops.silu(self.norm(h))
        x = self.pad2(x)  # [N, 34, 34, 128]
        noise = self.conv2(x)  # [N, 32, 32, 3]
        return ops.transpose(noise, (0, 3, 1, 2))

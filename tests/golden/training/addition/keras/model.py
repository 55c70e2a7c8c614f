"""Answerer.

Printed by dlspec 0.1.0 from specs/training/addition.dls.
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


def sinusoids(position, channels: int):
    """Positions as waves of growing length, a sine and a cosine of each: [T,
    channels].

    position: int64 [L] -> float32 [N, channels].
    """
    x = ops.divide(ops.arange(0, channels, 2, dtype="int64"), channels)  # [L']
    angle = ops.divide(position[:, None], 10000**x)  # [N, D]
    x = ops.stack([ops.sin(angle), ops.cos(angle)], axis=2)  # [N, T, 2]
    return ops.reshape(x, (-1, 2 * ((channels + 1) // 2)))


def split_heads(x, heads: int):
    """x: float32 [N, T, D] -> float32 [N, heads, W, D // heads]."""
    N, S, D = ops.shape(x)
    x = ops.reshape(x, (N, S, heads, D // heads))  # [N, H, heads, D // heads]
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x):
    """x: float32 [N, H, W, D] -> float32 [N, T, D * H]."""
    N, H, S, D = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # [N, H', H, D]
    return ops.reshape(x, (N, S, D * H))


class Attention(layers.Layer):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, S, M], mask: bool [N, 1, 1, S]
    -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = layers.Dense(dim)
        self.key = layers.Dense(dim)
        self.value = layers.Dense(dim)
        self.out = layers.Dense(dim)

    def call(self, x, memory, mask):
        x = self.query(x)
        q = split_heads(x, heads=self.heads)  # [N, heads, W, dim // heads]
        x = self.key(memory)  # [N, S, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = self.value(memory)  # [N, S, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = attention(q, k, v, mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class Attention2(layers.Layer):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, T, M], mask: bool [T, T]
    -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = layers.Dense(dim)
        self.key = layers.Dense(dim)
        self.value = layers.Dense(dim)
        self.out = layers.Dense(dim)

    def call(self, x, memory, mask):
        x = self.query(x)
        q = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.key(memory)  # [N, T, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.value(memory)  # [N, T, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = attention(q, k, v, mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(layers.Layer):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        x = ops.relu(self.linear1(x))  # [N, T, hidden]
        return self.linear2(x)


class EncoderLayer(layers.Layer):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, S, dim], mask: bool [N, 1, 1, S] -> float32 [N, S, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.dropout1 = layers.Dropout(0.0)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = layers.Dropout(0.0)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)

    def call(self, x, mask):
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class DecoderLayer(layers.Layer):
    """The decoder's layer: x looks at itself, as far as `mask` lets it, and then at
    the encoder's result, `memory`.

    x: float32 [N, T, dim], memory: float32 [N, S, M], mask: bool [T, T],
    memory_mask: bool [N, 1, 1, S]
    -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.self_attention = Attention2(dim, heads)
        self.dropout1 = layers.Dropout(0.0)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.cross_attention = Attention(dim, heads)
        self.dropout2 = layers.Dropout(0.0)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout3 = layers.Dropout(0.0)
        self.norm3 = layers.LayerNormalization(epsilon=1e-5)

    def call(self, x, memory, mask, memory_mask):
        x = x + self.dropout1(self.self_attention(x, x, mask))
        x = self.norm1(x)
        h = self.dropout2(self.cross_attention(x, memory, memory_mask))
        x = self.norm2(x + h)
        x = x + self.dropout3(self.feed_forward(x))
        return self.norm3(x)


class Answerer(keras.Model):
    """asked: int64 [N, S], sofar: int64 [N, T] -> logits: float32 [N, T, 48]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = layers.Embedding(48, 64)
        self.encoder_layers = [EncoderLayer(64, 4, hidden=256) for _ in range(2)]
        self.decoder_layers = [DecoderLayer(64, 4, hidden=256) for _ in range(2)]
        self.linear = layers.Dense(48)

    def call(self, asked, sofar):
        S = ops.shape(asked)[1]
        T = ops.shape(sofar)[1]
        x = ops.not_equal(asked, 0)
        visible = x[:, None, None]  # [N, 1, 1, S]
        x = ops.arange(T, dtype="int64")[:, None]  # [T, 1]
        earlier = ops.greater_equal(x, ops.arange(T, dtype="int64"))  # [T, T]
        x = sinusoids(ops.arange(S, dtype="int64"), channels=64)  # [S, 64]
        memory = self.embed(asked) + x  # [N, S, 64]
        for block in self.encoder_layers:
            memory = block(memory, visible)
        x = sinusoids(ops.arange(T, dtype="int64"), channels=64)  # [T, 64]
        x = self.embed(sofar) + x  # [N, T, 64]
        for block2 in self.decoder_layers:
            x = block2(x, memory, earlier, visible)
        return self.linear(x)

"""TokenTransformer.

Printed by dlspec 0.1.0 from specs/training/bpe_transformer.dls.
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

    position: int64 [T] -> float32 [T, channels].
    """
    x = ops.divide(ops.arange(0, channels, 2, dtype="int64"), channels)  # [L]
    angle = ops.divide(position[:, None], 10000**x)  # [T, D]
    x = ops.stack([ops.sin(angle), ops.cos(angle)], axis=2)  # [T, T, 2]
    return ops.reshape(x, (-1, 2 * ((channels + 1) // 2)))


def split_heads(x, heads: int):
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    N, T, D = ops.shape(x)
    x = ops.reshape(x, (N, T, heads, D // heads))  # [N, T, heads, D // heads]
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x):
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    N, H, T, D = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, H, D]
    return ops.reshape(x, (N, T, D * H))


class Attention(layers.Layer):
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
        x = ops.gelu(self.linear1(x), approximate=False)  # [N, T, hidden]
        return self.linear2(x)


class EncoderLayer(layers.Layer):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, T, dim], mask: bool [T, T] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.dropout1 = layers.Dropout(dropout)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = layers.Dropout(dropout)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)

    def call(self, x, mask):
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class TokenTransformer(keras.Model):
    """text: int64 [N, T] -> logits: float32 [N, T, 512]."""

    def __init__(self, width: int = 128, depth: int = 2, heads: int = 4) -> None:
        super().__init__()
        self.width = width
        self.embedding = layers.Embedding(512, width)
        self.encoder_layers = [
            EncoderLayer(width, heads, 4 * width, dropout=0.0) for _ in range(depth)
        ]
        self.linear = layers.Dense(512)

    def call(self, text):
        T = ops.shape(text)[1]
        x = ops.arange(T, dtype="int64")[:, None]  # [T, 1]
        earlier = ops.greater_equal(x, ops.arange(T, dtype="int64"))  # [T, T]
        x = self.embedding(text)  # [N, T, width]
        h = sinusoids(ops.arange(T, dtype="int64"), channels=self.width)  # [T, width]
        x = x + 0.1 * h
        for block in self.encoder_layers:
            x = block(x, earlier)
        return self.linear(x)

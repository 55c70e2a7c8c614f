"""Reader: 8 rows of 8 pixels; what the layers make of them is averaged.

Printed by dlspec 0.1.0 from specs/training/parallel.dls.
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

    x: float32 [N, T, dim], memory: float32 [N, S, M] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = layers.Dense(dim)
        self.key = layers.Dense(dim)
        self.value = layers.Dense(dim)
        self.out = layers.Dense(dim)

    def call(self, x, memory):
        x = self.query(x)
        q = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.key(memory)  # [N, S, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = self.value(memory)  # [N, S, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = attention(q, k, v)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(layers.Layer):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, 8, dim] -> float32 [N, 8, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        x = ops.gelu(self.linear1(x), approximate=False)  # [N, 8, hidden]
        return self.linear2(x)


class EncoderLayer(layers.Layer):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.dropout1 = layers.Dropout(dropout)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = layers.Dropout(dropout)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)

    def call(self, x):
        x = x + self.dropout1(self.attention(x, x))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class Reader(keras.Model):
    """image: float32 [N, 64] -> logits: float32 [N, classes]."""

    def __init__(
        self, width: int = 64, depth: int = 3, heads: int = 4, classes: int = 10
    ) -> None:
        super().__init__()
        self.place = self.add_weight(
            shape=(8, width), initializer=keras.initializers.RandomNormal(0.0, 0.02)
        )
        self.linear1 = layers.Dense(width)
        self.encoder_layers = keras.Sequential(
            [EncoderLayer(width, heads, 4 * width, dropout=0.0) for _ in range(depth)]
        )
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        x = ops.reshape(image, (-1, 8, 8))  # [N, 8, 8]
        x = self.linear1(x)  # [N, 8, width]
        x = x + self.place
        x = self.encoder_layers(x)
        x = ops.mean(x, axis=1)  # [N, width]
        return self.linear2(x)

"""GPT2.

Printed by dlspec 0.1.0 from specs/language/gpt2.dls.
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


class Attention(layers.Layer):
    """Self-attention in which no position sees a later one.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = layers.Dense(3 * dim)
        self.out = layers.Dense(dim)

    def call(self, x):
        N, T, D = ops.shape(x)
        x = self.qkv(x)  # [N, T, 3 * dim]
        x = ops.reshape(x, (N, T, 3, self.heads, D // self.heads))
        x = ops.transpose(x, (2, 0, 3, 1, 4))  # [3, N, heads, T, dim // heads]
        q, k, v = ops.unstack(x)
        x = attention(q, k, v, causal=True)
        x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, heads, dim // heads]
        x = ops.reshape(x, (N, T, D))  # [N, T, dim]
        return self.out(x)


class FeedForward(layers.Layer):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(4 * dim)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        x = ops.gelu(self.linear1(x))  # [N, T, 4 * dim]
        return self.linear2(x)


class Layer(layers.Layer):
    """Two sublayers, around each of which the input is led.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.attention = Attention(dim, heads)
        self.dropout1 = layers.Dropout(dropout)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim)
        self.dropout2 = layers.Dropout(dropout)

    def call(self, x):
        x = x + self.dropout1(self.attention(self.norm1(x)))
        return x + self.dropout2(self.feed_forward(self.norm2(x)))


class GPT2(keras.Model):
    """tokens: int64 [N, T] -> logits: float32 [N, T, words]."""

    def __init__(
        self,
        words: int = 50257,
        context: int = 1024,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.embed = layers.Embedding(words, width)
        self.position = layers.Embedding(context, width)
        self.dropout = layers.Dropout(dropout)
        self.layers2 = keras.Sequential(
            [Layer(width, heads, dropout) for _ in range(depth)]
        )
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, tokens):
        T = ops.shape(tokens)[1]
        x = self.embed(tokens) + self.position(ops.arange(T, dtype="int64"))
        x = self.dropout(x)
        x = self.norm(self.layers2(x))
        h = ops.transpose(self.embed.embeddings)  # [width, words]
        return ops.matmul(x, h)

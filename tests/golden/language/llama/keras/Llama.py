"""Llama.

Printed by dlspec 0.1.0 from specs/language/llama.dls.
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
    N, T, D = ops.shape(x)
    x = ops.reshape(x, (N, T, heads, D // heads))  # [N, T, heads, D // heads]
    return ops.transpose(x, (0, 2, 1, 3))


def rotary(x, position, base: int = 10000):
    """Rotary positions (Su et al. 2021): channel i of the first half and channel i
    of the second are turned together, by an angle that grows with the position. x
    is [N, heads, T, D].

    x: float32 [N, H, T, D], position: int64 [T] -> float32 [N, H, T, C].
    """
    D = ops.shape(x)[3]
    h = ops.divide(ops.arange(0, D, 2, dtype="int64"), D)  # [L]
    angle = ops.divide(position[:, None], base**h)  # [T, D']
    a, b = ops.split(x, 2, axis=3)
    x = a * ops.cos(angle) - b * ops.sin(angle)
    h = b * ops.cos(angle) + a * ops.sin(angle)
    return ops.concatenate([x, h], axis=3)


def merge_heads(x):
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    N, H, T, D = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, H, D]
    return ops.reshape(x, (N, T, D * H))


class Attention(layers.Layer):
    """Self-attention in which no position sees a later one, and each pair of key and
    value serves several queries.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, kv_heads: int, theta: int) -> None:
        super().__init__()
        self.heads = heads
        self.theta = theta
        self.kv_heads = kv_heads
        self.query = layers.Dense(dim, use_bias=False)
        self.key = layers.Dense(dim // heads * kv_heads, use_bias=False)
        self.value = layers.Dense(dim // heads * kv_heads, use_bias=False)
        self.out = layers.Dense(dim, use_bias=False)

    def call(self, x):
        T = ops.shape(x)[1]
        position = ops.arange(T, dtype="int64")  # [T]
        h = self.query(x)
        h = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        q = rotary(h, position, base=self.theta)
        h = self.key(x)  # [N, T, D]
        h = split_heads(h, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        k = rotary(h, position, base=self.theta)
        x = self.value(x)  # [N, T, D]
        v = split_heads(x, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        x = attention(q, k, v, causal=True)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class SwiGLU(layers.Layer):
    """A feed-forward layer with a gate, without biases (Shazeer 2020).

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.gate = layers.Dense(hidden, use_bias=False)
        self.up = layers.Dense(hidden, use_bias=False)
        self.down = layers.Dense(dim, use_bias=False)

    def call(self, x):
        x = ops.silu(self.gate(x)) * self.up(x)  # [N, T, hidden]
        return self.down(x)


class Layer(layers.Layer):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(
        self, dim: int, heads: int, kv_heads: int, hidden: int, theta: int
    ) -> None:
        super().__init__()
        self.norm1 = layers.RMSNormalization(epsilon=1e-5)
        self.attention = Attention(dim, heads, kv_heads, theta)
        self.norm2 = layers.RMSNormalization(epsilon=1e-5)
        self.feed_forward = SwiGLU(dim, hidden)

    def call(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))


class Llama(keras.Model):
    """tokens: int64 [N, T] -> logits: float32 [N, T, words]."""

    def __init__(
        self,
        words: int = 128256,
        width: int = 4096,
        depth: int = 32,
        heads: int = 32,
        kv_heads: int = 8,
        hidden: int = 14336,
        theta: int = 500000,
    ) -> None:
        super().__init__()
        self.embed = layers.Embedding(words, width)
        self.layers2 = keras.Sequential(
            [Layer(width, heads, kv_heads, hidden, theta) for _ in range(depth)]
        )
        self.norm = layers.RMSNormalization(epsilon=1e-5)
        self.head = layers.Dense(words, use_bias=False)

    def call(self, tokens):
        x = self.embed(tokens)  # [N, T, width]
        x = self.norm(self.layers2(x))
        return self.head(x)

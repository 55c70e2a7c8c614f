"""Mixtral.

Printed by dlspec 0.1.0 from specs/language/mixtral.dls.
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


def topk(x, k: int, axis: int):
    """The k greatest elements in falling order, and where they are."""
    values, index = ops.top_k(ops.moveaxis(x, axis, -1), k)
    index = ops.cast(index, "int64")
    return ops.moveaxis(values, -1, axis), ops.moveaxis(index, -1, axis)


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


class Experts(layers.Layer):
    """For each token the `active` likeliest of `count` experts, weighted by the
    softmax over these alone.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int, count: int, active: int) -> None:
        super().__init__()
        self.active = active
        self.count = count
        self.router = layers.Dense(count, use_bias=False)
        self.experts = [SwiGLU(dim, hidden) for _ in range(8)]

    def call(self, x):
        h = self.router(x)  # [N, T, count]
        scores, chosen = topk(h, self.active, 2)
        h = ops.softmax(scores)
        y = ops.one_hot(chosen, self.count, dtype=keras.config.floatx())
        weight = ops.sum(h[:, :, :, None] * y, axis=2)  # [N, T, count]
        answers = ops.stack([expert(x) for expert in self.experts], axis=2)
        return ops.einsum("abc,abcd->abd", weight, answers)


class Layer(layers.Layer):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(
        self,
        dim: int,
        heads: int,
        kv_heads: int,
        hidden: int,
        experts: int,
        active: int,
        theta: int,
    ) -> None:
        super().__init__()
        self.norm1 = layers.RMSNormalization(epsilon=1e-5)
        self.attention = Attention(dim, heads, kv_heads, theta)
        self.norm2 = layers.RMSNormalization(epsilon=1e-5)
        self.experts = Experts(dim, hidden, experts, active)

    def call(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.experts(self.norm2(x))


class Mixtral(keras.Model):
    """tokens: int64 [N, T] -> logits: float32 [N, T, 32000]."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = layers.Embedding(32000, 4096)
        self.layers2 = keras.Sequential(
            [
                Layer(
                    4096,
                    32,
                    kv_heads=8,
                    hidden=14336,
                    experts=8,
                    active=2,
                    theta=1000000,
                )
                for _ in range(32)
            ]
        )
        self.norm = layers.RMSNormalization(epsilon=1e-5)
        self.head = layers.Dense(32000, use_bias=False)

    def call(self, tokens):
        x = self.embed(tokens)  # [N, T, 4096]
        x = self.norm(self.layers2(x))
        return self.head(x)

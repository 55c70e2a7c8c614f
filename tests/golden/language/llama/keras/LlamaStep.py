"""LlamaStep.

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
    y = position[:, None]  # [T, 1]
    angle = ops.divide(y, base**h)  # [T, D']
    a, b = ops.split(x, 2, axis=3)
    x = a * ops.cos(angle) - b * ops.sin(angle)
    h = b * ops.cos(angle) + a * ops.sin(angle)
    return ops.concatenate([x, h], axis=3)


def merge_heads(x):
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    N, H, T, D = ops.shape(x)
    x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, H, D]
    return ops.reshape(x, (N, T, D * H))


class CachedAttention(layers.Layer):
    """The same attention for T positions after P others, whose keys and values it is
    given; it gives out those of all.

    x: float32 [N, T, dim], past: float32 [2, N, H, P, E]
    -> output: float32 [N, T, dim], present: float32 [2, N, H, P + T, E].
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

    def call(self, x, past):
        T = ops.shape(x)[1]
        P = ops.shape(past)[3]
        position = ops.arange(P, P + T, dtype="int64")  # [T]
        h = self.query(x)
        h = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        q = rotary(h, position, base=self.theta)
        h = self.key(x)  # [N, T, D]
        h = split_heads(h, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        k = rotary(h, position, base=self.theta)
        x = self.value(x)  # [N, T, D]
        v = split_heads(x, heads=self.kv_heads)  # [N, kv_heads, T, dim // heads]
        x = ops.stack([k, v])  # [2, N, kv_heads, T, dim // heads]
        present = ops.concatenate([past, x], axis=3)  # [2, N, H, P + T, E]
        k, v = ops.unstack(present)
        x = position[:, None]  # [T, 1]
        x = ops.greater_equal(x, ops.arange(P + T, dtype="int64"))  # [T, P + T]
        x = attention(q, k, v, x)  # [N, heads, T, E]
        x = merge_heads(x)  # [N, T, E * heads]
        output = self.out(x)  # [N, T, dim]
        return output, present


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


class CachedLayer(layers.Layer):
    """x: float32 [N, T, dim], past: float32 [2, N, 8, P, 128]
    -> output: float32 [N, T, dim], present: float32 [2, N, 8, P + T, 128].
    """

    def __init__(
        self, dim: int, heads: int, kv_heads: int, hidden: int, theta: int
    ) -> None:
        super().__init__()
        self.norm1 = layers.RMSNormalization(epsilon=1e-5)
        self.attention = CachedAttention(dim, heads, kv_heads, theta)
        self.norm2 = layers.RMSNormalization(epsilon=1e-5)
        self.feed_forward = SwiGLU(dim, hidden)

    def call(self, x, past):
        seen, present = self.attention(self.norm1(x), past)
        x = x + seen
        output = x + self.feed_forward(self.norm2(x))
        return output, present


class LlamaStep(keras.Model):
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
        self.embed = layers.Embedding(words, width)
        self.layers_0 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_1 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_2 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_3 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_4 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_5 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_6 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_7 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_8 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_9 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_10 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_11 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_12 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_13 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_14 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_15 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_16 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_17 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_18 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_19 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_20 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_21 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_22 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_23 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_24 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_25 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_26 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_27 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_28 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_29 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_30 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.layers_31 = CachedLayer(width, heads, kv_heads, hidden, theta)
        self.norm = layers.RMSNormalization(epsilon=1e-5)
        self.head = layers.Dense(words, use_bias=False)

    def call(self, tokens, past):
        x = self.embed(tokens)  # [N, T, width]
        h, y, z, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29 = ops.unstack(
            past
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
        present = ops.stack(
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

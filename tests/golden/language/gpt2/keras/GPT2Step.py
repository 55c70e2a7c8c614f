"""GPT2Step.

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


class CachedAttention(layers.Layer):
    """The same attention for T positions after P others, whose keys and values it is
    given; it gives out those of all.

    x: float32 [N, T, dim], past: float32 [2, N, H, P, E]
    -> output: float32 [N, T, dim], present: float32 [2, N, H, P + T, E].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = layers.Dense(3 * dim)
        self.out = layers.Dense(dim)

    def call(self, x, past):
        N, T, D = ops.shape(x)
        _, _, _, P, E = ops.shape(past)
        x = self.qkv(x)  # [N, T, 3 * dim]
        x = ops.reshape(x, (N, T, 3, self.heads, D // self.heads))
        x = ops.transpose(x, (2, 0, 3, 1, 4))  # [3, N, heads, T, dim // heads]
        q, k, v = ops.unstack(x)
        x = ops.stack([k, v])  # [2, N, heads, T, dim // heads]
        present = ops.concatenate([past, x], axis=3)  # [2, N, H, P + T, E]
        k, v = ops.unstack(present)
        x = ops.arange(P, P + T, dtype="int64")[:, None]  # [T, 1]
        earlier = ops.greater_equal(x, ops.arange(P + T, dtype="int64"))  # [T, P + T]
        x = attention(q, k, v, earlier)  # [N, heads, T, E]
        x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, heads, E]
        x = ops.reshape(x, (N, T, E * self.heads))  # [N, T, E * heads]
        output = self.out(x)  # [N, T, dim]
        return output, present


class FeedForward(layers.Layer):
    """x: float32 [N, T, dim] -> float32 [N, T, dim]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(4 * dim)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        x = ops.gelu(self.linear1(x))  # [N, T, 4 * dim]
        return self.linear2(x)


class CachedLayer(layers.Layer):
    """x: float32 [N, T, dim], past: float32 [2, N, 12, P, 64]
    -> output: float32 [N, T, dim], present: float32 [2, N, 12, P + T, 64].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.attention = CachedAttention(dim, heads)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim)

    def call(self, x, past):
        seen, present = self.attention(self.norm1(x), past)
        x = x + seen
        output = x + self.feed_forward(self.norm2(x))
        return output, present


class GPT2Step(keras.Model):
    """tokens: int64 [N, T], past: float32 [12, 2, N, heads, P, width // heads]
    -> logits: float32 [N, T, words], present: float32 [12, 2, N, heads, P + T,
    width // heads].
    """

    def __init__(
        self, words: int = 50257, context: int = 1024, width: int = 768, heads: int = 12
    ) -> None:
        super().__init__()
        self.embed = layers.Embedding(words, width)
        self.position = layers.Embedding(context, width)
        self.layers_0 = CachedLayer(width, heads)
        self.layers_1 = CachedLayer(width, heads)
        self.layers_2 = CachedLayer(width, heads)
        self.layers_3 = CachedLayer(width, heads)
        self.layers_4 = CachedLayer(width, heads)
        self.layers_5 = CachedLayer(width, heads)
        self.layers_6 = CachedLayer(width, heads)
        self.layers_7 = CachedLayer(width, heads)
        self.layers_8 = CachedLayer(width, heads)
        self.layers_9 = CachedLayer(width, heads)
        self.layers_10 = CachedLayer(width, heads)
        self.layers_11 = CachedLayer(width, heads)
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, tokens, past):
        T = ops.shape(tokens)[1]
        P = ops.shape(past)[4]
        x = self.position(ops.arange(P, P + T, dtype="int64"))  # [T, width]
        x = self.embed(tokens) + x  # [N, T, width]
        h, y, z, x1, x2, x3, x4, x5, x6, x7, x8, x9 = ops.unstack(past)
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
        h = ops.transpose(self.embed.embeddings)  # [width, words]
        logits = ops.matmul(self.norm(x), h)  # [N, T, words]
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
            ]
        )
        return logits, present

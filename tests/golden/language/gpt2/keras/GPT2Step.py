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
    """tokens: int64 [N, T], past: float32 [12, 2, N, 12, P, 64]
    -> logits: float32 [N, T, 50257], present: float32 [12, 2, N, 12, P + T, 64].
    """

    def __init__(self) -> None:
        super().__init__()
        self.embed = layers.Embedding(50257, 768)
        self.position = layers.Embedding(1024, 768)
        self.layers2 = [CachedLayer(768, 12) for _ in range(12)]
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, tokens, past):
        T = ops.shape(tokens)[1]
        P = ops.shape(past)[4]
        x = self.position(ops.arange(P, P + T, dtype="int64"))  # [T, 768]
        x = self.embed(tokens) + x  # [N, T, 768]
        caches = []
        for layer, cache in zip(self.layers2, ops.unstack(past), strict=True):
            x, cache = layer(x, cache)
            caches.append(cache)
        present = ops.stack(caches)  # [12, 2, N, 12, P + T, 64]
        h = ops.transpose(self.embed.embeddings)  # [768, 50257]
        logits = ops.matmul(self.norm(x), h)  # [N, T, 50257]
        return logits, present

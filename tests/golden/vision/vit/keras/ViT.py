"""ViT.

Printed by dlspec 0.1.0 from specs/vision/vit.dls.
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


class SelfAttention(layers.Layer):
    """Every token looks at all others, with `heads` views.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear1 = layers.Dense(3 * dim)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        _, T, D = ops.shape(x)
        x = self.linear1(x)  # [N, T, 3 * dim]
        x = ops.reshape(x, (-1, T, 3, self.heads, D // self.heads))
        x = ops.transpose(x, (2, 0, 3, 1, 4))  # [3, N, heads, T, dim // heads]
        q, k, v = ops.unstack(x)
        x = attention(q, k, v)
        x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, heads, dim // heads]
        x = ops.reshape(x, (-1, T, D))  # [N, T, dim]
        return self.linear2(x)


class EncoderLayer(layers.Layer):
    """Attention, then two layers for each token; both after normalisation, and added
    to what came in.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(
        self, dim: int, heads: int, hidden: int, dropout: float, eps: float
    ) -> None:
        super().__init__()
        self.norm1 = layers.LayerNormalization(epsilon=eps)
        self.self_attention = SelfAttention(dim, heads)
        self.dropout1 = layers.Dropout(dropout)
        self.norm2 = layers.LayerNormalization(epsilon=eps)
        self.linear1 = layers.Dense(hidden)
        self.dropout2 = layers.Dropout(dropout)
        self.linear2 = layers.Dense(dim)
        self.dropout3 = layers.Dropout(dropout)

    def call(self, x):
        x = x + self.dropout1(self.self_attention(self.norm1(x)))
        h = ops.gelu(self.linear1(self.norm2(x)), approximate=False)  # [N, T, hidden]
        return x + self.dropout3(self.linear2(self.dropout2(h)))


class ViT(keras.Model):
    """image: float32 [N, 3, size, size] -> logits: float32 [N, classes]."""

    def __init__(
        self,
        classes: int = 1000,
        size: int = 224,
        patch: int = 16,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        dropout: float = 0.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.size = size
        self.patch = patch
        self.width = width
        self.class_token = self.add_weight(shape=(1, 1, width), initializer="zeros")
        self.position = self.add_weight(
            shape=(1, (size // patch) ** 2 + 1, width),
            initializer=keras.initializers.RandomNormal(0.0, 0.02),
        )
        self.conv = layers.Conv2D(width, patch, strides=patch)
        self.dropout = layers.Dropout(dropout)
        self.encoder_layers = keras.Sequential(
            [EncoderLayer(width, heads, hidden, dropout, eps) for _ in range(depth)]
        )
        self.norm = layers.LayerNormalization(epsilon=eps)
        self.linear = layers.Dense(classes)

    def call(self, image):
        N = ops.shape(image)[0]
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, size, size, 3]
        x = self.conv(x)  # [N, size // patch, size // patch, width]
        patches = ops.reshape(x, (-1, (self.size // self.patch) ** 2, self.width))
        x = ops.broadcast_to(self.class_token, (N, 1, self.width))  # [N, 1, width]
        tokens = ops.concatenate([x, patches], axis=1) + self.position  # [N, T', width]
        tokens = self.norm(self.encoder_layers(self.dropout(tokens)))
        x = tokens[:, 0]  # [N, width]
        return self.linear(x)

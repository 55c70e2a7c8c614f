"""RowAttention: Dense128 - attention over the rows - Dense10.

Printed by dlspec 0.1.0 from specs/survey/attention.dls.
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


class RowAttention(keras.Model):
    """image: float32 [N, 8, 8] -> logits: float32 [N, classes]."""

    def __init__(self, width: int = 128, classes: int = 10) -> None:
        super().__init__()
        self.position = self.add_weight(
            shape=(8, width), initializer=keras.initializers.RandomNormal(0.0, 0.1)
        )
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        rows = ops.relu(self.linear1(image) + self.position)  # [N, 8, width]
        seen = attention(rows, rows, rows, scale=1.0)
        x = ops.mean(seen, axis=1)  # [N, width]
        return self.linear2(x)

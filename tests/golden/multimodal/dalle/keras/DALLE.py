"""DALLE: `text` are tokens of a vocabulary of 16384; at place p that is left over
stands 16384 + p, each a token of its own.

Printed by dlspec 0.1.0 from specs/multimodal/dalle.dls.
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


def seen(place, text: int, side: int):
    """Which places [T] of the stream see which others, [T, T]: those before, if they
    are text or, as `kind` says, near.

    place: int64 [T] -> bool [T, T].
    """
    behind = ops.subtract(place[:, None], place)  # [T, T]
    near = ops.less_equal(behind, side)
    x = ops.less(place, text)
    h = ops.greater_equal(behind, 0)
    x = ops.logical_or(x, near)
    return ops.logical_and(h, x)


def seen_column(place, text: int, side: int):
    """Which places [T] of the stream see which others, [T, T]: those before, if they
    are text or, as `kind` says, near.

    place: int64 [T] -> bool [T, T].
    """
    behind = ops.subtract(place[:, None], place)  # [T, T]
    near = ops.equal(ops.mod(behind, side), 0)
    x = ops.less(place, text)
    h = ops.greater_equal(behind, 0)
    x = ops.logical_or(x, near)
    return ops.logical_and(h, x)


def seen_around(place, text: int, side: int, kernel: int = 11):
    """Which places [T] of the stream see which others, [T, T]: those before, if they
    are text or, as `kind` says, near.

    place: int64 [T] -> bool [T, T].
    """
    behind = ops.subtract(place[:, None], place)  # [T, T]
    x = ops.mod(ops.add(behind, kernel // 2), side)
    h = ops.floor_divide(ops.add(behind, kernel // 2), side)
    x = ops.less(x, kernel)
    h = ops.less_equal(h, kernel // 2)
    near = ops.logical_and(x, h)
    x = ops.less(place, text)
    h = ops.greater_equal(behind, 0)
    x = ops.logical_or(x, near)
    return ops.logical_and(h, x)


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

    x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = layers.Dense(dim)
        self.key = layers.Dense(dim)
        self.value = layers.Dense(dim)
        self.out = layers.Dense(dim)

    def call(self, x, mask):
        h = self.query(x)
        q = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        h = self.key(x)
        k = split_heads(h, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.value(x)
        v = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = attention(q, k, v, mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(layers.Layer):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, 1280, dim] -> float32 [N, 1280, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        x = ops.gelu(self.linear1(x), approximate=False)  # [N, 1280, hidden]
        return self.linear2(x)


class Layer(layers.Layer):
    """Two sublayers, around each of which the input is led; x sees where `mask` [T,
    T] is true.

    x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.attention = Attention(dim, heads)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim, 4 * dim)

    def call(self, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        return x + self.feed_forward(self.norm2(x))


class FourLayers(layers.Layer):
    """The order of layers that is repeated.

    x: float32 [N, 1280, dim], by_row: bool [1280, 1280], by_column: bool [1280,
    1280]
    -> x: float32 [N, 1280, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.layer1 = Layer(dim, heads)
        self.layer2 = Layer(dim, heads)
        self.layer3 = Layer(dim, heads)
        self.layer4 = Layer(dim, heads)

    def call(self, x, by_row, by_column):
        x = self.layer1(x, by_row)
        x = self.layer2(x, by_column)
        x = self.layer3(x, by_row)
        return self.layer4(x, by_row)


class DALLE(keras.Model):
    """caption: int64 [N, 256], image: int64 [N, 1024]
    -> next_word: float32 [N, 255, 16640], next_code: float32 [N, 1024, codes].
    """

    def __init__(
        self,
        codes: int = 8192,
        width: int = 3968,
        depth: int = 64,
        heads: int = 62,
        kernel: int = 11,
    ) -> None:
        super().__init__()
        self.width = width
        self.kernel = kernel
        self.row = layers.Embedding(32, width)
        self.column = layers.Embedding(32, width)
        self.word = layers.Embedding(16640, width)
        self.order = layers.Embedding(256, width)
        self.code = layers.Embedding(codes, width)
        self.four_layers = [FourLayers(width, heads) for _ in range(depth // 4 - 1)]
        self.layer1 = Layer(width, heads)
        self.layer2 = Layer(width, heads)
        self.layer3 = Layer(width, heads)
        self.layer4 = Layer(width, heads)
        self.norm = layers.LayerNormalization(epsilon=1e-5)

    def call(self, caption, image):
        x = self.row(ops.arange(32, dtype="int64"))  # [32, width]
        x = x[:, None] + self.column(ops.arange(32, dtype="int64"))  # [32, 32, width]
        cell = ops.reshape(x, (1024, self.width))  # [1024, width]
        x = self.word(caption) + self.order(ops.arange(256, dtype="int64"))
        h = self.code(image) + cell  # [N, 1024, width]
        x = ops.concatenate([x, h], axis=1)  # [N, 1280, width]
        place = ops.arange(1280, dtype="int64")  # [1280]
        by_row = seen(place, text=256, side=32)  # [1280, 1280]
        by_column = seen_column(place, text=256, side=32)  # [1280, 1280]
        around = seen_around(place, text=256, side=32, kernel=self.kernel)
        for block in self.four_layers:
            x = block(x, by_row, by_column)
        x = self.layer1(x, by_row)
        x = self.layer2(x, by_column)
        x = self.layer3(x, by_row)
        x = self.layer4(x, around)
        x = self.norm(x)
        h = ops.transpose(self.word.embeddings)  # [width, 16640]
        next_word = ops.matmul(x[:, :255], h)  # [N, 255, 16640]
        h = ops.transpose(self.code.embeddings)  # [width, codes]
        next_code = ops.matmul(x[:, 255:1279], h)  # [N, 1024, codes]
        return next_word, next_code

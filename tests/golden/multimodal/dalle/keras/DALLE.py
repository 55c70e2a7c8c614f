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
    x = place[:, None]  # [T, 1]
    behind = ops.subtract(x, place)  # [T, T]
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
    x = place[:, None]  # [T, 1]
    behind = ops.subtract(x, place)  # [T, T]
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
    x = place[:, None]  # [T, 1]
    behind = ops.subtract(x, place)  # [T, T]
    x = ops.mod(ops.add(behind, kernel // 2), side)
    h = ops.floor_divide(ops.add(behind, kernel // 2), side)
    x = ops.less(x, kernel)
    h = ops.less_equal(h, kernel // 2)
    near = ops.logical_and(x, h)
    x = ops.less(place, text)
    h = ops.greater_equal(behind, 0)
    x = ops.logical_or(x, near)
    return ops.logical_and(h, x)


class Attention(layers.Layer):
    """Self-attention where `mask` [T, T] is true.

    x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = layers.Dense(3 * dim)
        self.out = layers.Dense(dim)

    def call(self, x, mask):
        _, T, D = ops.shape(x)
        x = self.qkv(x)  # [N, T, 3 * dim]
        x = ops.reshape(x, (-1, T, 3, self.heads, D // self.heads))
        x = ops.transpose(x, (2, 0, 3, 1, 4))  # [3, N, heads, T, dim // heads]
        q, k, v = ops.unstack(x)
        x = attention(q, k, v, mask)
        x = ops.transpose(x, (0, 2, 1, 3))  # [N, T, heads, dim // heads]
        x = ops.reshape(x, (-1, T, D))  # [N, T, dim]
        return self.out(x)


class Layer(layers.Layer):
    """x: float32 [N, T, dim], mask: bool [1280, 1280] -> float32 [N, T, dim]."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.attention = Attention(dim, heads)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.linear1 = layers.Dense(4 * dim)
        self.linear2 = layers.Dense(dim)

    def call(self, x, mask):
        x = x + self.attention(self.norm1(x), mask)
        h = ops.gelu(self.linear1(self.norm2(x)), approximate=False)  # [N, T, 4 * dim]
        return x + self.linear2(h)


class DALLE(keras.Model):
    """caption: int64 [N, 256], image: int64 [N, 1024]
    -> next_word: float32 [N, 255, 16640], next_code: float32 [N, 1024, codes].
    """

    def __init__(
        self, codes: int = 8192, width: int = 3968, heads: int = 62, kernel: int = 11
    ) -> None:
        super().__init__()
        self.width = width
        self.kernel = kernel
        self.row = layers.Embedding(32, width)
        self.column = layers.Embedding(32, width)
        self.word = layers.Embedding(16640, width)
        self.order = layers.Embedding(256, width)
        self.code = layers.Embedding(codes, width)
        self.layers_0 = Layer(width, heads)
        self.layers_1 = Layer(width, heads)
        self.layers_2 = Layer(width, heads)
        self.layers_3 = Layer(width, heads)
        self.layers_4 = Layer(width, heads)
        self.layers_5 = Layer(width, heads)
        self.layers_6 = Layer(width, heads)
        self.layers_7 = Layer(width, heads)
        self.layers_8 = Layer(width, heads)
        self.layers_9 = Layer(width, heads)
        self.layers_10 = Layer(width, heads)
        self.layers_11 = Layer(width, heads)
        self.layers_12 = Layer(width, heads)
        self.layers_13 = Layer(width, heads)
        self.layers_14 = Layer(width, heads)
        self.layers_15 = Layer(width, heads)
        self.layers_16 = Layer(width, heads)
        self.layers_17 = Layer(width, heads)
        self.layers_18 = Layer(width, heads)
        self.layers_19 = Layer(width, heads)
        self.layers_20 = Layer(width, heads)
        self.layers_21 = Layer(width, heads)
        self.layers_22 = Layer(width, heads)
        self.layers_23 = Layer(width, heads)
        self.layers_24 = Layer(width, heads)
        self.layers_25 = Layer(width, heads)
        self.layers_26 = Layer(width, heads)
        self.layers_27 = Layer(width, heads)
        self.layers_28 = Layer(width, heads)
        self.layers_29 = Layer(width, heads)
        self.layers_30 = Layer(width, heads)
        self.layers_31 = Layer(width, heads)
        self.layers_32 = Layer(width, heads)
        self.layers_33 = Layer(width, heads)
        self.layers_34 = Layer(width, heads)
        self.layers_35 = Layer(width, heads)
        self.layers_36 = Layer(width, heads)
        self.layers_37 = Layer(width, heads)
        self.layers_38 = Layer(width, heads)
        self.layers_39 = Layer(width, heads)
        self.layers_40 = Layer(width, heads)
        self.layers_41 = Layer(width, heads)
        self.layers_42 = Layer(width, heads)
        self.layers_43 = Layer(width, heads)
        self.layers_44 = Layer(width, heads)
        self.layers_45 = Layer(width, heads)
        self.layers_46 = Layer(width, heads)
        self.layers_47 = Layer(width, heads)
        self.layers_48 = Layer(width, heads)
        self.layers_49 = Layer(width, heads)
        self.layers_50 = Layer(width, heads)
        self.layers_51 = Layer(width, heads)
        self.layers_52 = Layer(width, heads)
        self.layers_53 = Layer(width, heads)
        self.layers_54 = Layer(width, heads)
        self.layers_55 = Layer(width, heads)
        self.layers_56 = Layer(width, heads)
        self.layers_57 = Layer(width, heads)
        self.layers_58 = Layer(width, heads)
        self.layers_59 = Layer(width, heads)
        self.layers_60 = Layer(width, heads)
        self.layers_61 = Layer(width, heads)
        self.layers_62 = Layer(width, heads)
        self.layers_63 = Layer(width, heads)
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
        x = self.layers_0(x, by_row)
        x = self.layers_1(x, by_column)
        x = self.layers_2(x, by_row)
        x = self.layers_3(x, by_row)
        x = self.layers_4(x, by_row)
        x = self.layers_5(x, by_column)
        x = self.layers_6(x, by_row)
        x = self.layers_7(x, by_row)
        x = self.layers_8(x, by_row)
        x = self.layers_9(x, by_column)
        x = self.layers_10(x, by_row)
        x = self.layers_11(x, by_row)
        x = self.layers_12(x, by_row)
        x = self.layers_13(x, by_column)
        x = self.layers_14(x, by_row)
        x = self.layers_15(x, by_row)
        x = self.layers_16(x, by_row)
        x = self.layers_17(x, by_column)
        x = self.layers_18(x, by_row)
        x = self.layers_19(x, by_row)
        x = self.layers_20(x, by_row)
        x = self.layers_21(x, by_column)
        x = self.layers_22(x, by_row)
        x = self.layers_23(x, by_row)
        x = self.layers_24(x, by_row)
        x = self.layers_25(x, by_column)
        x = self.layers_26(x, by_row)
        x = self.layers_27(x, by_row)
        x = self.layers_28(x, by_row)
        x = self.layers_29(x, by_column)
        x = self.layers_30(x, by_row)
        x = self.layers_31(x, by_row)
        x = self.layers_32(x, by_row)
        x = self.layers_33(x, by_column)
        x = self.layers_34(x, by_row)
        x = self.layers_35(x, by_row)
        x = self.layers_36(x, by_row)
        x = self.layers_37(x, by_column)
        x = self.layers_38(x, by_row)
        x = self.layers_39(x, by_row)
        x = self.layers_40(x, by_row)
        x = self.layers_41(x, by_column)
        x = self.layers_42(x, by_row)
        x = self.layers_43(x, by_row)
        x = self.layers_44(x, by_row)
        x = self.layers_45(x, by_column)
        x = self.layers_46(x, by_row)
        x = self.layers_47(x, by_row)
        x = self.layers_48(x, by_row)
        x = self.layers_49(x, by_column)
        x = self.layers_50(x, by_row)
        x = self.layers_51(x, by_row)
        x = self.layers_52(x, by_row)
        x = self.layers_53(x, by_column)
        x = self.layers_54(x, by_row)
        x = self.layers_55(x, by_row)
        x = self.layers_56(x, by_row)
        x = self.layers_57(x, by_column)
        x = self.layers_58(x, by_row)
        x = self.layers_59(x, by_row)
        x = self.layers_60(x, by_row)
        x = self.layers_61(x, by_column)
        x = self.layers_62(x, by_row)
        x = self.layers_63(x, around)
        x = self.norm(x)
        h = x[:, :255]  # [N, 255, width]
        y = ops.transpose(self.word.embeddings)  # [width, 16640]
        next_word = ops.matmul(h, y)  # [N, 255, 16640]
        x = x[:, 255:1279]  # [N, 1024, width]
        h = ops.transpose(self.code.embeddings)  # [width, codes]
        next_code = ops.matmul(x, h)  # [N, 1024, codes]
        return next_word, next_code

"""Encoder, Decoder, Writer and Judge.

Printed by dlspec 0.1.0 from specs/training/dvae.dls.
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


class Encoder(layers.Layer):
    """The log-odds of the words at each place, [N, places, words].

    image: float32 [N, 64] -> float32 [N, 4, 16].
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(64)

    def call(self, image):
        x = ops.relu(self.linear1(image))  # [N, width]
        x = self.linear2(x)  # [N, 64]
        return ops.reshape(x, (-1, 4, 16))


class Decoder(layers.Layer):
    """Words, or mixtures of them, to the log-odds of the pixels.

    chosen: float32 [N, 4, 16] -> float32 [N, 64].
    """

    def __init__(self, width: int = 256, dim: int = 16) -> None:
        super().__init__()
        self.dim = dim
        self.linear1 = layers.Dense(dim, use_bias=False)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(64)

    def call(self, chosen):
        x = self.linear1(chosen)  # [N, 4, dim]
        x = ops.reshape(x, (-1, 4 * self.dim))  # [N, 4 * dim]
        x = ops.relu(self.linear2(x))  # [N, width]
        return self.linear3(x)


def sinusoids(position, channels: int):
    """Positions as waves of growing length, a sine and a cosine of each: [T,
    channels].

    position: int64 [T] -> float32 [T, channels].
    """
    T = ops.shape(position)[0]
    x = ops.divide(ops.arange(0, channels, 2, dtype="int64"), channels)  # [L]
    angle = ops.divide(position[:, None], 10000**x)  # [T, D]
    x = ops.stack([ops.sin(angle), ops.cos(angle)], axis=2)  # [T, T', 2]
    return ops.reshape(x, (T, 2 * ((channels + 1) // 2)))


def split_heads(x, heads: int):
    """x: float32 [N, T, D] -> float32 [N, heads, T, D // heads]."""
    _, T, D = ops.shape(x)
    x = ops.reshape(x, (-1, T, heads, D // heads))  # [N, T, heads, D // heads]
    return ops.transpose(x, (0, 2, 1, 3))


def merge_heads(x):
    """x: float32 [N, H, T, D] -> float32 [N, T, D * H]."""
    _, H, T, D = ops.shape(x)
    return ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, T, D * H))


class Attention(layers.Layer):
    """Multi-head attention. Each head compares queries with keys in a space of its
    own, and averages values. `memory` is what x looks at: itself, unless
    something else is given. `mask`, which keeps where true, must fit the scores
    [N, heads, T, S]; `causal` lets a position see none after it.

    x: float32 [N, T, dim], memory: float32 [N, S, M], mask: bool [N, D]
    -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = layers.Dense(dim)
        self.key = layers.Dense(dim)
        self.value = layers.Dense(dim)
        self.out = layers.Dense(dim)

    def call(self, x, memory, mask):
        x = self.query(x)
        q = split_heads(x, heads=self.heads)  # [N, heads, T, dim // heads]
        x = self.key(memory)  # [N, S, dim]
        k = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = self.value(memory)  # [N, S, dim]
        v = split_heads(x, heads=self.heads)  # [N, heads, S, dim // heads]
        x = attention(q, k, v, mask)
        x = merge_heads(x)  # [N, T, dim]
        return self.out(x)


class FeedForward(layers.Layer):
    """Two layers, the first of them wider, at each position by itself.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(hidden)
        self.linear2 = layers.Dense(dim)

    def call(self, x):
        x = ops.relu(self.linear1(x))  # [N, T, hidden]
        return self.linear2(x)


class EncoderLayer(layers.Layer):
    """The encoder's layer: two sublayers, around each of which the input is led, and
    normalised after that.

    x: float32 [N, T, dim], mask: bool [N, D] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attention = Attention(dim, heads)
        self.dropout1 = layers.Dropout(0.1)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.feed_forward = FeedForward(dim, hidden)
        self.dropout2 = layers.Dropout(0.1)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)

    def call(self, x, mask):
        x = x + self.dropout1(self.attention(x, x, mask))
        x = self.norm1(x)
        x = x + self.dropout2(self.feed_forward(x))
        return self.norm2(x)


class Next(layers.Layer):
    """What was written so far to the log-odds of each next word. The first word says
    the digit.

    written: int64 [N, T] -> float32 [N, T, 16].
    """

    def __init__(self) -> None:
        super().__init__()
        self.embedding = layers.Embedding(26, 64)
        self.encoder_layers = [EncoderLayer(64, 4, hidden=256) for _ in range(2)]
        self.linear = layers.Dense(16)

    def call(self, written):
        T = ops.shape(written)[1]
        x = ops.arange(T, dtype="int64")[:, None]  # [T, 1]
        earlier = ops.greater_equal(x, ops.arange(T, dtype="int64"))  # [T, T]
        x = sinusoids(ops.arange(T, dtype="int64"), channels=64)  # [T, 64]
        x = self.embedding(written) + x  # [N, T, 64]
        for block in self.encoder_layers:
            x = block(x, earlier)
        return self.linear(x)


class Writer(layers.Layer):
    """The log-odds of each word of an image, given the digit and the words before
    it; and words of its own.

    label: int64 [N], chosen: int64 [N, 4], noise: float32 [N, 4, 16]
    -> logits: float32 [N, 4, 16], answer: int64 [N, 4].
    """

    def __init__(self) -> None:
        super().__init__()
        self.next_ = Next()

    def call(self, label, chosen, noise):
        first = ops.add(label[:, None], 16)  # [N, 1]
        x = ops.concatenate([first, chosen[:, :3]], axis=1)
        logits = self.next_(x)  # [N, 4, 16]
        x = self.next_(first)  # [N, 1, 16]
        x = ops.cast(ops.argmax(x[:, 0] + noise[:, 0], axis=1), "int64")  # [N]
        written = ops.concatenate([first, x[:, None]], axis=1)  # [N, 2]
        x = self.next_(written)  # [N, 2, 16]
        x = ops.cast(ops.argmax(x[:, 1] + noise[:, 1], axis=1), "int64")  # [N]
        written = ops.concatenate([written, x[:, None]], axis=1)  # [N, 3]
        x = self.next_(written)  # [N, 3, 16]
        x = ops.cast(ops.argmax(x[:, 2] + noise[:, 2], axis=1), "int64")  # [N]
        written = ops.concatenate([written, x[:, None]], axis=1)  # [N, 4]
        x = self.next_(written)  # [N, 4, 16]
        x = ops.cast(ops.argmax(x[:, 3] + noise[:, 3], axis=1), "int64")  # [N]
        written = ops.concatenate([written, x[:, None]], axis=1)  # [N, 5]
        answer = written[:, 1:]  # [N, 4]
        return logits, answer


class Judge(keras.Model):
    """An image to the digit on it.

    image: float32 [N, 64] -> logits: float32 [N, 10].
    """

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(10)

    def call(self, image):
        x = ops.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

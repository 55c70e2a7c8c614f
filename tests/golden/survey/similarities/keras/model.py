"""Similarities.

Printed by dlspec 0.1.0 from specs/survey/similarities.dls.
"""

import keras
from keras import layers, ops


def dot(q, k):
    """q . k (Luong et al. 2015).

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    x = ops.transpose(k, (0, 2, 1))  # [N, 16, S]
    return ops.matmul(q, x)


def attend(scores, v):
    """The values, averaged by how alike their keys are to each query:
    softmax(scores) v.

    scores: float32 [N, T, S], v: float32 [N, S, 16] -> float32 [N, T, 16].
    """
    return ops.matmul(ops.softmax(scores), v)


def scaled_dot(q, k):
    """q . k / sqrt(D), which keeps its size as D grows (Vaswani et al. 2017).

    q: float32 [N, T, D], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    return dot(q, k) / 4.0


def cosine(q, k):
    """The cosine of the angle between them (Graves et al. 2014).

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    x = ops.sum(q * q, axis=2, keepdims=True)  # [N, T, 1]
    h = ops.equal(x, 0.0)
    x = ops.where(h, 1.0, x)
    h = ops.where(h, 0.0, ops.sqrt(x))
    x = ops.sum(k * k, axis=2, keepdims=True)  # [N, S, 1]
    y = ops.equal(x, 0.0)
    x = ops.where(y, 1.0, x)
    y = ops.where(y, 0.0, ops.sqrt(x))
    return dot(q / h, k / y)


def euclidean(q, k):
    """-|q - k|: the nearer, the more alike.

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """
    x = q[:, :, None] - k[:, None]  # [N, T, S, 16]
    x = ops.sum(x * x, axis=3)  # [N, T, S]
    h = ops.equal(x, 0.0)
    x = ops.where(h, 1.0, x)
    h = ops.where(h, 0.0, ops.sqrt(x))
    return -h


class Additive(layers.Layer):
    """v . tanh(W q + U k), a network with one hidden layer (Bahdanau et al. 2015).
    Here D may differ between q and k.

    q: float32 [N, T, 16], k: float32 [N, S, 16] -> float32 [N, T, S].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w = layers.Dense(width, use_bias=False)
        self.u = layers.Dense(width, use_bias=False)
        self.v = layers.Dense(1, use_bias=False)

    def call(self, q, k):
        x = self.w(q)  # [N, T, width]
        h = self.u(k)  # [N, S, width]
        x = self.v(ops.tanh(x[:, :, None] + h[:, None]))  # [N, T, S, 1]
        return x[:, :, :, 0]


class General(layers.Layer):
    """q . W k, the general or multiplicative form (Luong et al. 2015).

    q: float32 [N, T, dim], k: float32 [N, S, 16] -> float32 [N, T, S].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear = layers.Dense(dim, use_bias=False)

    def call(self, q, k):
        x = self.linear(k)  # [N, S, dim]
        return dot(q, x)


class Similarities(keras.Model):
    """query: float32 [N, T, 16], key: float32 [N, S, 16], value: float32 [N, S, 16]
    -> by_dot: float32 [N, T, 16], by_scaled_dot: float32 [N, T, 16], by_cosine:
    float32 [N, T, 16], by_euclidean: float32 [N, T, 16], by_additive: float32 [N,
    T, 16], by_general: float32 [N, T, 16].
    """

    def __init__(self, hidden: int = 32) -> None:
        super().__init__()
        self.additive = Additive(hidden)
        self.general = General(16)

    def call(self, query, key, value):
        x = dot(query, key)  # [N, T, S]
        by_dot = attend(x, value)  # [N, T, 16]
        x = scaled_dot(query, key)  # [N, T, S]
        by_scaled_dot = attend(x, value)  # [N, T, 16]
        x = cosine(query, key)  # [N, T, S]
        by_cosine = attend(x, value)  # [N, T, 16]
        x = euclidean(query, key)  # [N, T, S]
        by_euclidean = attend(x, value)  # [N, T, 16]
        x = self.additive(query, key)  # [N, T, S]
        by_additive = attend(x, value)  # [N, T, 16]
        x = self.general(query, key)  # [N, T, S]
        by_general = attend(x, value)  # [N, T, 16]
        return by_dot, by_scaled_dot, by_cosine, by_euclidean, by_additive, by_general

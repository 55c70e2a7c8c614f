"""DBN: How likely each label is for an image, and the image as the net would draw it
from what it remembers.

Printed by dlspec 0.1.0 from specs/foundations/dbn.dls.
"""

import keras
from keras import layers, ops


def up(v, weight, hidden_bias):
    """What the hidden units are, given the visible ones: p(h = 1 | v), [N, V] -> [N,
    H].

    v: float32 [N, D], weight: float32 [N, D'], hidden_bias: float32 [L]
    -> float32 [N, D'].
    """
    return ops.sigmoid(ops.matmul(v, weight) + hidden_bias)


class RBM(layers.Layer):
    """A machine with its weights. Its output are the hidden units' probabilities;
    the way down is `down(h, machine.weight, machine.visible_bias)`.

    v: float32 [N, v] -> float32 [N, hidden].
    """

    def __init__(self, v: int, hidden: int) -> None:
        super().__init__()
        self.weight = self.add_weight(
            shape=(v, hidden), initializer=keras.initializers.RandomNormal(0.0, 0.1)
        )
        self.visible_bias = self.add_weight(shape=(v,), initializer="zeros")
        self.hidden_bias = self.add_weight(shape=(hidden,), initializer="zeros")

    def call(self, v):
        return up(v, self.weight, self.hidden_bias)


def free_energy(v, weight, visible_bias, hidden_bias):
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, 10, 510], weight: float32 [510, 2000], visible_bias: float32
    [510], hidden_bias: float32 [2000]
    -> float32 [N, 10].
    """
    x = ops.softplus(ops.matmul(v, weight) + hidden_bias)  # [N, 10, 2000]
    return -ops.sum(v * visible_bias, axis=2) - ops.sum(x, axis=2)


def down(h, weight, visible_bias):
    """What the visible units are, given the hidden ones: p(v = 1 | h), [N, H] -> [N,
    V].

    h: float32 [N, D], weight: float32 [N, D], visible_bias: float32 [L]
    -> float32 [N, D'].
    """
    x = ops.transpose(weight)  # [N', D']
    return ops.sigmoid(ops.matmul(h, x) + visible_bias)


class DBN(keras.Model):
    """image: float32 [N, pixels], label: float32 [N, 10]
    -> logits: float32 [N, 10], drawn: float32 [N, 784].
    """

    def __init__(self, pixels: int = 784) -> None:
        super().__init__()
        self.first = RBM(pixels, 500)
        self.second = RBM(500, 500)
        self.memory = RBM(510, 2000)

    def call(self, image, label):
        N = ops.shape(image)[0]
        x = self.first(image)  # [N, 500]
        h = self.second(x)
        x = ops.concatenate([h, label], axis=1)  # [N, 510]
        recalled = self.memory(x)  # [N, 2000]
        x = ops.eye(10, 10, dtype=keras.config.floatx())  # [10, 10]
        y = ops.broadcast_to(h[:, None], (N, 10, 500))  # [N, 10, 500]
        x = ops.broadcast_to(x, (N, 10, 10))  # [N, 10, 10]
        each = ops.concatenate([y, x], axis=2)  # [N, 10, 510]
        energy = free_energy(
            each, self.memory.weight, self.memory.visible_bias, self.memory.hidden_bias
        )
        x = down(recalled, self.memory.weight, self.memory.visible_bias)  # [N, 510]
        drawn = x[:, :500]  # [N, 500]
        drawn = down(drawn, self.second.weight, self.second.visible_bias)
        drawn = down(drawn, self.first.weight, self.first.visible_bias)  # [N, 784]
        logits = -energy
        return logits, drawn

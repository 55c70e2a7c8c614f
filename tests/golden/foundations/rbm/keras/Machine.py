"""Machine: an image drawn again from its hidden units, and how likely it is: its free
energy, lower for likelier ones.

Printed by dlspec 0.1.0 from specs/foundations/rbm.dls.
"""

import keras
from keras import layers, ops


def up(v, weight, hidden_bias):
    """What the hidden units are, given the visible ones: p(h = 1 | v), [N, V] -> [N,
    H].

    v: float32 [N, 784], weight: float32 [784, 500], hidden_bias: float32 [500]
    -> float32 [N, 500].
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


def down(h, weight, visible_bias):
    """What the visible units are, given the hidden ones: p(v = 1 | h), [N, H] -> [N,
    V].

    h: float32 [N, 500], weight: float32 [784, 500], visible_bias: float32 [784]
    -> float32 [N, 784].
    """
    x = ops.transpose(weight)  # [500, 784]
    return ops.sigmoid(ops.matmul(h, x) + visible_bias)


def free_energy(v, weight, visible_bias, hidden_bias):
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, 784], weight: float32 [784, 500], visible_bias: float32 [784],
    hidden_bias: float32 [500]
    -> float32 [N].
    """
    x = ops.softplus(ops.matmul(v, weight) + hidden_bias)  # [N, 500]
    return -ops.sum(v * visible_bias, axis=1) - ops.sum(x, axis=1)


class Machine(keras.Model):
    """image: float32 [N, 784] -> drawn: float32 [N, 784], energy: float32 [N]."""

    def __init__(self, hidden: int = 500) -> None:
        super().__init__()
        self.machine = RBM(784, hidden)

    def call(self, image):
        h = self.machine(image)  # [N, hidden]
        drawn = down(h, self.machine.weight, self.machine.visible_bias)  # [N, 784]
        energy = free_energy(
            image,
            self.machine.weight,
            self.machine.visible_bias,
            self.machine.hidden_bias,
        )
        return drawn, energy

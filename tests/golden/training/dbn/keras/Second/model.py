"""Layer.

Printed by dlspec 0.1.0 from specs/training/dbn.dls.
"""

import keras
from keras import layers, ops


def up(v, weight, hidden_bias):
    """What the hidden units are, given the visible ones: p(h = 1 | v), [N, V] -> [N,
    H].

    v: float32 [N, D], weight: float32 [N, 128], hidden_bias: float32 [128]
    -> float32 [N, 128].
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

    h: float32 [N, 128], weight: float32 [N, 128], visible_bias: float32 [L]
    -> float32 [N, D].
    """
    x = ops.transpose(weight)  # [128, D]
    return ops.sigmoid(ops.matmul(h, x) + visible_bias)


def free_energy(v, weight, visible_bias, hidden_bias):
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, D], weight: float32 [N, 128], visible_bias: float32 [L],
    hidden_bias: float32 [128]
    -> float32 [N].
    """
    x = ops.softplus(ops.matmul(v, weight) + hidden_bias)
    return -ops.sum(v * visible_bias, axis=1) - ops.sum(x, axis=1)


class Machine(layers.Layer):
    """A machine over what is below it. `gap` is the free energy of data less that of
    dreams: its gradient is the update <v h>data - <v h>dream. A unit is on where
    `chance`, uniform noise, is below its probability.

    v: float32 [N, in_features], chance: float32 [N, 128]
    -> h: float32 [N, hidden], dream: float32 [N, in_features], gap: float32 [N].
    """

    def __init__(self, in_features: int, hidden: int) -> None:
        super().__init__()
        self.machine = RBM(in_features, hidden)

    def call(self, v, chance):
        h = self.machine(v)  # [N, hidden]
        on = ops.cast(chance < h, keras.config.floatx())
        x = down(on, self.machine.weight, self.machine.visible_bias)  # [N, in_features]
        dream = ops.stop_gradient(x)
        x = free_energy(
            v, self.machine.weight, self.machine.visible_bias, self.machine.hidden_bias
        )
        y = free_energy(
            dream,
            self.machine.weight,
            self.machine.visible_bias,
            self.machine.hidden_bias,
        )
        gap = x - y
        return h, dream, gap


class Layer(keras.Model):
    """v: float32 [N, in_features], chance: float32 [N, above]
    -> h: float32 [N, above], dream: float32 [N, in_features], gap: float32 [N].
    """

    def __init__(self, in_features: int, above: int = 128) -> None:
        super().__init__()
        self.machine = Machine(in_features, above)

    def call(self, v, chance):
        h, dream, gap = self.machine(v, chance)
        return h, dream, gap

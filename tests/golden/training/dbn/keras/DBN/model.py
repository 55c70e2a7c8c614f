"""Layer and Memory.

Printed by dlspec 0.1.0 from specs/training/dbn.dls.
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


def down(h, weight, visible_bias):
    """What the visible units are, given the hidden ones: p(v = 1 | h), [N, H] -> [N,
    V].

    h: float32 [N, D], weight: float32 [N, D], visible_bias: float32 [L]
    -> float32 [N, D'].
    """
    x = ops.transpose(weight)  # [N', D']
    return ops.sigmoid(ops.matmul(h, x) + visible_bias)


def free_energy(v, weight, visible_bias, hidden_bias):
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, D], weight: float32 [N, D'], visible_bias: float32 [L],
    hidden_bias: float32 [L']
    -> float32 [N].
    """
    x = ops.softplus(ops.matmul(v, weight) + hidden_bias)
    return -ops.sum(v * visible_bias, axis=1) - ops.sum(x, axis=1)


def free_energy2(v, weight, visible_bias, hidden_bias):
    """F(v) = -log sum_h exp(-E(v, h)) = -a.v - sum_j log(1 + exp(b_j + (v W)_j)),
    [N, V] -> [N].

    v: float32 [N, 10, 138], weight: float32 [138, 512], visible_bias: float32
    [138], hidden_bias: float32 [512]
    -> float32 [N, 10].
    """
    x = ops.softplus(ops.matmul(v, weight) + hidden_bias)  # [N, 10, 512]
    return -ops.sum(v * visible_bias, axis=2) - ops.sum(x, axis=2)


class Machine(layers.Layer):
    """A machine over what is below it. `gap` is the free energy of data less that of
    dreams: its gradient is the update <v h>data - <v h>dream. A unit is on where
    `chance`, uniform noise, is below its probability.

    v: float32 [N, in_features], chance: float32 [N, hidden]
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


class Layer(layers.Layer):
    """v: float32 [N, in_features], chance: float32 [N, above]
    -> h: float32 [N, above], dream: float32 [N, in_features], gap: float32 [N].
    """

    def __init__(self, in_features: int, above: int = 128) -> None:
        super().__init__()
        self.machine = Machine(in_features, above)

    def call(self, v, chance):
        h, dream, gap = self.machine(v, chance)
        return h, dream, gap


class Memory(keras.Model):
    """The associative memory: a machine over the layer below and the labels, all of
    which are tried in turn.

    v: float32 [N, 128], label: int64 [N], chance: float32 [N, above]
    -> logits: float32 [N, 10], gap: float32 [N].
    """

    def __init__(self, above: int = 512) -> None:
        super().__init__()
        self.memory = Machine(138, above)

    def call(self, v, label, chance):
        N = ops.shape(v)[0]
        x = ops.one_hot(label, 10, dtype=keras.config.floatx())  # [N, 10]
        x = ops.concatenate([v, x], axis=1)  # [N, 138]
        _, _, gap = self.memory(x, chance)
        x = ops.eye(10, 10, dtype=keras.config.floatx())  # [10, 10]
        y = ops.broadcast_to(v[:, None], (N, 10, 128))  # [N, 10, 128]
        x = ops.broadcast_to(x, (N, 10, 10))  # [N, 10, 10]
        each = ops.concatenate([y, x], axis=2)  # [N, 10, 138]
        x = free_energy2(
            each,
            self.memory.machine.weight,
            self.memory.machine.visible_bias,
            self.memory.machine.hidden_bias,
        )
        logits = -x
        return logits, gap

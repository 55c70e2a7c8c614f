"""CapsNet: the decoder is told the label: in training, and where the reconstruction is
measured.

Printed by dlspec 0.1.0 from specs/training/capsnet.dls.
"""

import keras
from keras import layers, ops


def squash(x, axis: int):
    """Shrinks a vector to a length below 1 and keeps its direction (equation 1).

    x: float32 [N, T, D] -> float32 [N, T, D].
    """
    length = ops.sum(ops.square(x), axis=axis, keepdims=True)  # [N, T, 1]
    return x * length / ((1 + length) * ops.sqrt(length + 1e-8))


class Capsules(layers.Layer):
    """What each capsule below votes for each of `count` capsules above, and how the
    votes agree (procedure 1).

    u: float32 [N, i, d_size] -> v: float32 [N, count, dim].
    """

    def __init__(
        self, i: int, d_size: int, count: int, dim: int, routings: int
    ) -> None:
        super().__init__()
        self.count = count
        self.dim = dim
        self.routings = routings
        self.weight = self.add_weight(
            shape=(i, count, dim, d_size),
            initializer=keras.initializers.RandomNormal(0.0, 0.01),
        )

    def call(self, u):
        N, I = ops.shape(u)[:2]
        votes = ops.einsum("abc,bdec->abde", u, self.weight)  # [N, i, count, dim]
        logits = ops.zeros((N, I, self.count), dtype=keras.config.floatx())
        v = ops.zeros((N, self.count, self.dim), dtype=keras.config.floatx())
        for _ in range(self.routings):
            x = ops.einsum("abc,abcd->acd", ops.softmax(logits), votes)  # [N, 10, 16]
            v = squash(x, axis=-1)
            logits = logits + ops.einsum("abcd,acd->abc", votes, v)
        return v


class Decoder(layers.Layer):
    """Draws the image from the capsule of one class; the others are masked.

    capsules: float32 [N, K, D], shown: int64 [N] -> float32 [N, pixels].
    """

    def __init__(self, pixels: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(128)
        self.linear2 = layers.Dense(128)
        self.linear3 = layers.Dense(pixels)

    def call(self, capsules, shown):
        _, K, D = ops.shape(capsules)
        x = ops.one_hot(shown, K, dtype=keras.config.floatx())  # [N, K]
        x = ops.reshape(capsules * x[:, :, None], (-1, D * K))  # [N, D * K]
        x = ops.relu(self.linear1(x))  # [N, 128]
        x = ops.relu(self.linear2(x))
        return ops.sigmoid(self.linear3(x))


class CapsNet(keras.Model):
    """image: float32 [N, 1, 8, 8], label: int64 [N]
    -> lengths: float32 [N, 10], reconstruction: float32 [N, 64].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(64, 3)
        self.conv2 = layers.Conv2D(64, 3, strides=2)
        self.capsules = Capsules(32, 8, count=10, dim=16, routings=3)
        self.decoder = Decoder(64)

    def call(self, image, label):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 8, 8, 1]
        x = ops.relu(self.conv1(x))  # [N, 6, 6, 64]
        x = self.conv2(x)  # [N, 2, 2, 64]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 64, 2, 2]
        x = ops.reshape(x, (-1, 8, 8, 2, 2))  # [N, 8, 8, 2, 2]
        x = ops.transpose(x, (0, 1, 3, 4, 2))  # [N, 8, 2, 2, 8]
        x = ops.reshape(x, (-1, 32, 8))  # [N, 32, 8]
        u = squash(x, axis=-1)
        capsules = self.capsules(u)  # [N, 10, 16]
        x = ops.sum(capsules * capsules, axis=2)  # [N, 10]
        h = ops.equal(x, 0.0)
        x = ops.where(h, 1.0, x)
        lengths = ops.where(h, 0.0, ops.sqrt(x))
        reconstruction = self.decoder(capsules, label)  # [N, 64]
        return lengths, reconstruction

"""CapsNet: `lengths` are how sure the network is of each class. It draws the class
that it is told in training (`told = true` asks for it), or that it takes for the
most likely.

Printed by dlspec 0.1.0 from specs/vision/capsnet.dls.
"""

import keras
from keras import layers, ops


def squash(x, axis: int):
    """Shrinks a vector to a length below 1 and keeps its direction (equation 1).

    x: float32 [N, T, D] -> float32 [N, T, D].
    """
    length = ops.sum(ops.square(x), axis=axis, keepdims=True)  # [N, T, 1]
    return x * length / ((1 + length) * ops.sqrt(length + 1e-8))


class PrimaryCapsules(layers.Layer):
    """Convolutional capsules: a vector of `dim` numbers at each place of each of
    `types` maps.

    x: float32 [N, H, W, C] -> float32 [N, T, dim].
    """

    def __init__(self, types: int, dim: int) -> None:
        super().__init__()
        self.types = types
        self.dim = dim
        self.conv = layers.Conv2D(dim * types, 9, strides=2)

    def call(self, x):
        _, H, W, _ = ops.shape(x)
        x = self.conv(x)  # [N, H', W', dim * types]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, dim * types, W', C']
        x = ops.reshape(
            x, (-1, self.types, self.dim, (H + 1) // 2 - 4, (W + 1) // 2 - 4)
        )
        x = ops.transpose(x, (0, 1, 3, 4, 2))  # [N, types, H', W', dim]
        x = ops.reshape(x, (-1, 1152, self.dim))  # [N, T, dim]
        return squash(x, axis=-1)


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
        self.linear1 = layers.Dense(512)
        self.linear2 = layers.Dense(1024)
        self.linear3 = layers.Dense(pixels)

    def call(self, capsules, shown):
        _, K, D = ops.shape(capsules)
        x = ops.one_hot(shown, K, dtype=keras.config.floatx())  # [N, K]
        x = ops.reshape(capsules * x[:, :, None], (-1, D * K))  # [N, D * K]
        x = ops.relu(self.linear1(x))  # [N, 512]
        x = ops.relu(self.linear2(x))  # [N, 1024]
        return ops.sigmoid(self.linear3(x))


class CapsNet(keras.Model):
    """image: float32 [N, 1, 28, 28]
    -> lengths: float32 [N, 10], reconstruction: float32 [N, 784].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = layers.Conv2D(256, 9)
        self.primary_capsules = PrimaryCapsules(32, 8)
        self.capsules = Capsules(1152, 8, count=10, dim=16, routings=3)
        self.decoder = Decoder(784)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 28, 28, 1]
        x = ops.relu(self.conv(x))  # [N, 20, 20, 256]
        x = self.primary_capsules(x)  # [N, 1152, 8]
        capsules = self.capsules(x)  # [N, 10, 16]
        x = ops.sum(capsules * capsules, axis=2)  # [N, 10]
        h = ops.equal(x, 0.0)
        x = ops.where(h, 1.0, x)
        lengths = ops.where(h, 0.0, ops.sqrt(x))
        shown = ops.cast(ops.argmax(lengths, axis=1), "int64")  # [N]
        reconstruction = self.decoder(capsules, shown)  # [N, 784]
        return lengths, reconstruction

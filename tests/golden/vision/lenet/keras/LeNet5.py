"""LeNet5.

Printed by dlspec 0.1.0 from specs/vision/lenet.dls.
"""

import keras
from keras import layers, ops


def squash(a):
    """A tangent whose value at 1 is 1, and at -1 is -1 (appendix A).

    a: float32 [N, H, W, C] -> float32 [N, H, W, C].
    """
    return 1.7159 * ops.tanh(0.6666666666666666 * a)


def squash2(a):
    """A tangent whose value at 1 is 1, and at -1 is -1 (appendix A).

    a: float32 [N, 84] -> float32 [N, 84].
    """
    return 1.7159 * ops.tanh(0.6666666666666666 * a)


class Convolution(layers.Layer):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, maps].
    """

    def __init__(self, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(maps, 5, groups=groups)

    def call(self, x):
        x = self.conv(x)  # [N, H - 4, W - 4, maps]
        return squash(x)


class Convolution2(layers.Layer):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, maps].
    """

    def __init__(self, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(maps, 5, groups=groups)

    def call(self, x):
        x = self.conv(x)  # [N, H - 4, W - 4, maps]
        return squash(x)


class Convolution3(layers.Layer):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, maps].
    """

    def __init__(self, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(maps, 5, groups=groups)

    def call(self, x):
        x = self.conv(x)  # [N, H - 4, W - 4, maps]
        return squash(x)


class Convolution4(layers.Layer):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, maps].
    """

    def __init__(self, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(maps, 5, groups=groups)

    def call(self, x):
        x = self.conv(x)  # [N, H - 4, W - 4, maps]
        return squash(x)


class Convolution5(layers.Layer):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, maps].
    """

    def __init__(self, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(maps, 5, groups=groups)

    def call(self, x):
        x = self.conv(x)  # [N, H - 4, W - 4, maps]
        return squash(x)


class Subsampling(layers.Layer):
    """Half the resolution: the sum of 2 by 2 units, times a coefficient, plus a
    bias, both of the map.

    x: float32 [N, H, W, in_channels] -> float32 [N, H // 2, W // 2, in_channels].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.coefficient = self.add_weight(
            shape=(in_channels, 1, 1),
            initializer=keras.initializers.RandomUniform(-0.6, 0.6),
        )
        self.bias = self.add_weight(
            shape=(in_channels, 1, 1),
            initializer=keras.initializers.RandomUniform(-0.6, 0.6),
        )

    def call(self, x):
        _, H, W, C = ops.shape(x)
        x = ops.reshape(x, (-1, H // 2, 2, W // 2, 2, C))
        h = ops.reshape(self.coefficient, (C,))  # [in_channels]
        y = ops.reshape(self.bias, (C,))  # [in_channels]
        x = ops.sum(x, axis=(2, 4)) * h + y  # [N, H // 2, W // 2, in_channels]
        return squash(x)


class PartialConvolution(layers.Layer):
    """A convolution whose maps see only some of the maps below: those that see as
    many are a convolution in groups.

    x: float32 [N, H, W, C] -> float32 [N, H - 4, W - 4, 16].
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolution1 = Convolution2(6, groups=6)
        self.convolution2 = Convolution3(6, groups=6)
        self.convolution3 = Convolution3(3, groups=3)
        self.convolution4 = Convolution4(1)

    def call(self, x):
        C = ops.shape(x)[3]
        h = ops.take(
            x,
            [
                0,
                1 % C,
                2 % C,
                1 % C,
                2 % C,
                3 % C,
                2 % C,
                3 % C,
                4 % C,
                3 % C,
                4 % C,
                5 % C,
                0,
                4 % C,
                5 % C,
                0,
                1 % C,
                5 % C,
            ],
            axis=3,
        )
        y = ops.take(
            x,
            [
                0,
                1 % C,
                2 % C,
                3 % C,
                1 % C,
                2 % C,
                3 % C,
                4 % C,
                2 % C,
                3 % C,
                4 % C,
                5 % C,
                0,
                3 % C,
                4 % C,
                5 % C,
                0,
                1 % C,
                4 % C,
                5 % C,
                0,
                1 % C,
                2 % C,
                5 % C,
            ],
            axis=3,
        )
        z = ops.take(
            x,
            [
                0,
                1 % C,
                3 % C,
                4 % C,
                1 % C,
                2 % C,
                4 % C,
                5 % C,
                0,
                2 % C,
                3 % C,
                5 % C,
            ],
            axis=3,
        )
        x = ops.take(x, [0, 1 % C, 2 % C, 3 % C, 4 % C, 5 % C], axis=3)  # [N, H, W, 6]
        h = self.convolution1(h)  # [N, H - 4, W - 4, 6]
        y = self.convolution2(y)  # [N, H - 4, W - 4, 6]
        z = self.convolution3(z)  # [N, H - 4, W - 4, 3]
        x = self.convolution4(x)  # [N, H - 4, W - 4, 1]
        return ops.concatenate([h, y, z, x], axis=3)


class RBF(layers.Layer):
    """Squared distances to the pictures of the digits: the smallest is the answer.

    x: float32 [N, 84] -> float32 [N, 10].
    """

    def __init__(self) -> None:
        super().__init__()
        self.constant = ops.array(
            [
                [62, 0, 28, 54, 99, 99, 99, 99, 54, 28, 0, 0],
                [12, 28, 60, 12, 12, 12, 12, 12, 12, 63, 0, 0],
                [62, 0, 62, 99, 67, 6, 28, 48, 96, 127, 0, 0],
                [127, 3, 6, 12, 30, 3, 3, 3, 99, 62, 0, 0],
                [62, 0, 0, 51, 51, 115, 99, 99, 103, 63, 3, 3],
                [62, 0, 127, 96, 96, 60, 30, 3, 99, 62, 0, 0],
                [30, 48, 96, 96, 126, 115, 99, 99, 115, 62, 0, 0],
                [127, 3, 3, 6, 12, 12, 24, 24, 24, 24, 0, 0],
                [62, 99, 99, 99, 62, 99, 99, 99, 99, 62, 0, 0],
                [62, 103, 99, 99, 103, 63, 3, 3, 6, 60, 0, 0],
            ],
            dtype=keras.config.floatx(),
        )
        self.constant2 = ops.array(
            [64, 32, 16, 8, 4, 2, 1], dtype=keras.config.floatx()
        )

    def call(self, x):
        bits = self.constant[:, :, None] // self.constant2 % 2  # [10, 12, 7]
        bitmaps = ops.reshape(2 * bits - 1, (10, 84))  # [10, 84]
        x = ops.square(x[:, None] - bitmaps)  # [N, 10, 84]
        return ops.sum(x, axis=2)


class LeNet5(keras.Model):
    """image: float32 [N, 1, 32, 32] -> penalties: float32 [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.C1 = Convolution(6)
        self.S2 = Subsampling(6)
        self.C3 = PartialConvolution()
        self.S4 = Subsampling(16)
        self.C5 = Convolution5(120)
        self.F6 = layers.Dense(84)
        self.rbf = RBF()

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 32, 32, 1]
        x = self.C1(x)  # [N, 28, 28, 6]
        x = self.S2(x)  # [N, 14, 14, 6]
        x = self.C3(x)  # [N, 10, 10, 16]
        x = self.S4(x)  # [N, 5, 5, 16]
        x = self.C5(x)  # [N, 1, 1, 120]
        x = ops.reshape(x, (-1, 120))  # [N, 120]
        x = self.F6(x)  # [N, 84]
        x = squash2(x)
        return self.rbf(x)

"""FCN16s.

Printed by dlspec 0.1.0 from specs/vision/fcn.dls.
"""

import keras
from keras import layers, ops


class VGGStage(layers.Layer):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, height, width, C] -> float32 [N, H', W', channels].
    """

    def __init__(self, height: int, width: int, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels, 3)

    def call(self, x):
        _, H, W, _ = ops.shape(x)
        x = self.pad(x)  # [N, height + 2, width + 2, C]
        x = ops.relu(self.conv1(x))  # [N, height, width, channels]
        x = self.pad2(x)  # [N, height + 2, width + 2, channels]
        x = ops.relu(self.conv2(x))  # [N, height, width, channels]
        if H - 2 * (H // 2) != 0 or W - 2 * (W // 2) != 0:
            x = ops.pad(
                x,
                ((0, 0), (0, H - 2 * (H // 2)), (0, W - 2 * (W // 2)), (0, 0)),
                constant_values=-float("inf"),
            )
        return ops.max_pool(x, 2)


class VGGStageProjection(layers.Layer):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, height, width, C] -> float32 [N, H', W', channels].
    """

    def __init__(self, height: int, width: int, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels, 3)
        self.pad3 = layers.ZeroPadding2D(1)
        self.conv3 = layers.Conv2D(channels, 3)

    def call(self, x):
        _, H, W, _ = ops.shape(x)
        x = self.pad(x)  # [N, height + 2, width + 2, C]
        x = ops.relu(self.conv1(x))  # [N, height, width, channels]
        x = self.pad2(x)  # [N, height + 2, width + 2, channels]
        x = ops.relu(self.conv2(x))  # [N, height, width, channels]
        x = self.pad3(x)  # [N, height + 2, width + 2, channels]
        x = ops.relu(self.conv3(x))  # [N, height, width, channels]
        if H - 2 * (H // 2) != 0 or W - 2 * (W // 2) != 0:
            x = ops.pad(
                x,
                ((0, 0), (0, H - 2 * (H // 2)), (0, W - 2 * (W // 2)), (0, 0)),
                constant_values=-float("inf"),
            )
        return ops.max_pool(x, 2)


class Trunk(layers.Layer):
    """The score of each class at every 32nd pixel, and the maps at every 16th and
    8th.

    image: float32 [N, height, width, 3]
    -> score: float32 [N, H''''', W''''', classes], pool4: float32 [N, H''', W''',
    512], pool3: float32 [N, H'', W'', 256].
    """

    def __init__(
        self, height: int, width: int, classes: int, hidden: int, dropout: float
    ) -> None:
        super().__init__()
        self.x = layers.ZeroPadding2D(99)
        self.vgg_stage1 = VGGStage(height + 198, width + 198, channels=64)
        self.vgg_stage2 = VGGStage(height // 2 + 99, width // 2 + 99, channels=128)
        self.vgg_stage3 = VGGStageProjection(175, 175, channels=256)
        self.vgg_stage4 = VGGStageProjection(88, 88, channels=512)
        self.vgg_stage5 = VGGStageProjection(44, 44, channels=512)
        self.fc6 = layers.Conv2D(hidden, 7)
        self.dropout1 = layers.Dropout(dropout)
        self.fc7 = layers.Conv2D(hidden, 1)
        self.dropout2 = layers.Dropout(dropout)
        self.score_fr = layers.Conv2D(classes, 1)

    def call(self, image):
        x = self.x(image)  # [N, height + 198, width + 198, 3]
        x = self.vgg_stage1(x)  # [N, H, W, 64]
        x = self.vgg_stage2(x)  # [N, H', W', 128]
        x = self.vgg_stage3(x)  # [N, H'', W'', 256]
        x1 = self.vgg_stage4(x)  # [N, H''', W''', 512]
        x2 = self.vgg_stage5(x1)  # [N, H'''', W'''', 512]
        h = self.dropout1(ops.relu(self.fc6(x2)))  # [N, H''''', W''''', hidden]
        h = self.dropout2(ops.relu(self.fc7(h)))
        score = self.score_fr(h)  # [N, H''''', W''''', classes]
        return score, x1, x


class Enlarge(layers.Layer):
    """`factor` times the side, by bilinear interpolation.

    x: float32 [N, H, W, in_channels]
    -> float32 [N, H * factor + factor, W * factor + factor, in_channels].
    """

    def __init__(self, in_channels: int, factor: int) -> None:
        super().__init__()
        self.conv_transpose = layers.Conv2DTranspose(
            in_channels, 2 * factor, strides=factor, use_bias=False
        )
        self.conv_transpose.trainable = False

    def call(self, x):
        return self.conv_transpose(x)


def crop(x, like, offset: int):
    """The part of x that is as large as `like`, `offset` from the top and from the
    left; from its middle where it is not given.

    x: float32 [N, H, W, C], like: float32 [N, P, Q, D] -> float32 [N, P, Q, C].
    """
    _, H, W, _ = ops.shape(x)
    _, P, Q, _ = ops.shape(like)
    return x[:, offset : -H + P + offset, offset : Q - W + offset]


def crop2(x, like, offset: int):
    """The part of x that is as large as `like`, `offset` from the top and from the
    left; from its middle where it is not given.

    x: float32 [N, H, W, C], like: float32 [N, D, P, Q] -> float32 [N, P, Q, C].
    """
    _, _, P, Q = ops.shape(like)
    return x[:, offset : P + offset, offset : Q + offset]


class FCN16s(keras.Model):
    """image: float32 [N, 3, 500, 500] -> scores: float32 [N, classes, 500, 500]."""

    def __init__(
        self, classes: int = 21, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.trunk = Trunk(500, 500, classes, hidden, dropout)
        self.enlarge1 = Enlarge(classes, 2)
        self.score_pool4 = layers.Conv2D(classes, 1)
        self.enlarge2 = Enlarge(classes, 16)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 500, 500, 3]
        x, pool4, _ = self.trunk(x)
        x = self.enlarge1(x)  # [N, 34, 34, classes]
        h = self.score_pool4(pool4)  # [N, 44, 44, classes]
        x = x + crop(h, x, offset=5)
        x = self.enlarge2(x)  # [N, 560, 560, classes]
        scores = crop2(x, image, offset=27)  # [N, 500, 500, classes]
        return ops.transpose(scores, (0, 3, 1, 2))

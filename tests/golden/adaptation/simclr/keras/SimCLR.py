"""SimCLR.

Printed by dlspec 0.1.0 from specs/adaptation/simclr.dls.
"""

import keras
from keras import layers, ops


class BatchNorm(layers.BatchNormalization):
    """Batch normalisation whose running variance is unbiased, as in PyTorch."""

    def __init__(self, momentum=0.1, epsilon=1e-5, affine=True) -> None:
        super().__init__(-1, 1 - momentum, epsilon, center=affine, scale=affine)

    def call(self, inputs, training=None, mask=None):
        before = ops.copy(self.moving_variance)
        outputs = super().call(inputs, training=training, mask=mask)
        if training and self.trainable:
            count = ops.cast(ops.size(inputs) // inputs.shape[-1], before.dtype)
            new = self.moving_variance - self.momentum * before
            unbiased = self.momentum * before + new * count / (count - 1)
            self.moving_variance.assign(unbiased)
        return outputs


class ConvBN(layers.Layer):
    """A convolution and its normalisation, padded so that only the stride makes the
    image smaller: alike on all sides, or with `padding = "same"` as TensorFlow
    does. It has no bias, as normalisation would take it away again.

    x: float32 [N, H, W, C] -> float32 [N, H', W', channels].
    """

    def __init__(
        self, channels: int, kernel: int, padding: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.conv = layers.Conv2D(channels, kernel, strides=stride, use_bias=False)
        self.norm = BatchNorm()
        self.pad = None
        if padding != 0:
            self.pad = layers.ZeroPadding2D(padding)

    def call(self, x):
        if self.pad is not None:
            x = self.pad(x)
        return self.norm(self.conv(x))


class Bottleneck(layers.Layer):
    """1x1 down to `width`, 3x3, and 1x1 up to four times as many channels. The 3x3
    convolution takes the stride, as in later versions; with `stride_first` the
    first does, as published.

    x: float32 [N, H, W, in_channels] -> float32 [N, H', W', 4 * width].
    """

    def __init__(self, in_channels: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(width, 1, padding=0)
        self.conv_bn2 = ConvBN(width, 3, padding=1, stride=stride)
        self.conv_bn3 = ConvBN(4 * width, 1, padding=0)
        self.project = None
        if stride != 1 or in_channels != 4 * width:
            self.project = ConvBN(4 * width, 1, padding=0, stride=stride)

    def call(self, x):
        h = ops.relu(self.conv_bn1(x))  # [N, H, W, width]
        h = ops.relu(self.conv_bn2(h))  # [N, H', W', width]
        main = self.conv_bn3(h)  # [N, H', W', 4 * width]
        skip = x if self.project is None else self.project(x)
        return ops.relu(main + skip)


class Stage(layers.Layer):
    """`depth` residual blocks, of which the first has the stride.

    x: float32 [N, H, W, in_channels] -> x: float32 [N, H', W', 4 * width].
    """

    def __init__(
        self, in_channels: int, width: int, depth: int, stride: int = 1
    ) -> None:
        super().__init__()
        self.bottleneck = Bottleneck(in_channels, width, stride=stride)
        self.bottlenecks = keras.Sequential(
            [Bottleneck(4 * width, width) for _ in range(depth - 1)]
        )

    def call(self, x):
        x = self.bottleneck(x)  # [N, H', W', 4 * width]
        return self.bottlenecks(x)


class Stages(layers.Layer):
    """Stages of residual blocks, `depths` of them in each: every stage is twice as
    wide as the one before, on half the side.

    x: float32 [N, H, W, in_channels] -> x: float32 [N, H''', W''', 32 * width].
    """

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__()
        self.stage1 = Stage(in_channels, width, depth=3)
        self.stage2 = Stage(4 * width, 2 * width, depth=4, stride=2)
        self.stage3 = Stage(8 * width, 4 * width, depth=6, stride=2)
        self.stage4 = Stage(16 * width, 8 * width, depth=3, stride=2)

    def call(self, x):
        x = self.stage1(x)  # [N, H, W, 4 * width]
        x = self.stage2(x)  # [N, H', W', 8 * width]
        x = self.stage3(x)  # [N, H'', W'', 16 * width]
        return self.stage4(x)


class Encoder(layers.Layer):
    """ResNet-50 without its classifier: [N, 3, H, W] to [N, 2048].

    image: float32 [N, H, W, C] -> float32 [N, 32 * width].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_bn = ConvBN(width, 7, padding=3, stride=2)
        self.stages = Stages(width, width=width)

    def call(self, image):
        x = ops.relu(self.conv_bn(image))  # [N, H', W', width]
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-float("inf"))
        x = ops.max_pool(x, 3, strides=2)  # [N, H''', W''', width]
        x = self.stages(x)  # [N, H'''', W'''', 32 * width]
        return ops.mean(x, axis=(1, 2))


class ProjectionHead(layers.Layer):
    """The hidden layer is as wide as what comes in.

    h: float32 [N, dim] -> float32 [N, 128].
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(dim, use_bias=False)
        self.linear2 = layers.Dense(128, use_bias=False)

    def call(self, h):
        x = ops.relu(self.linear1(h))
        return self.linear2(x)


class SimCLR(keras.Model):
    """first: float32 [N, 3, 224, 224], second: float32 [N, 3, 224, 224]
    -> a: float32 [N, 128], b: float32 [N, 128].
    """

    def __init__(self) -> None:
        super().__init__()
        self.encode = Encoder(64)
        self.project = ProjectionHead(2048)

    def call(self, first, second):
        x = ops.transpose(first, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = self.encode(x)  # [N, 2048]
        a = self.project(x)  # [N, 128]
        x = ops.transpose(second, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = self.encode(x)  # [N, 2048]
        b = self.project(x)  # [N, 128]
        return a, b

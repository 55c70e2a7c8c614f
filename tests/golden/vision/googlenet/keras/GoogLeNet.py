"""GoogLeNet.

Printed by dlspec 0.1.0 from specs/vision/googlenet.dls.
"""

import keras
from keras import layers, ops


def local_response_norm(
    x, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
):
    """Each channel damped by the squares of `size` neighbours; channels last."""
    channels, spatial = x.shape[-1], len(x.shape) - 1
    reach = (size // 2, (size - 1) // 2)
    squares = ops.pad(ops.square(x), ((0, 0),) * spatial + (reach,))
    total = sum(squares[..., i : i + channels] for i in range(size))
    return x / (k + alpha / size * total) ** beta


class ConvRelu(layers.Layer):
    """A convolution and its ReLU, padded so that only the stride makes the image
    smaller.

    x: float32 [N, H, W, C] -> float32 [N, H'', W'', channels].
    """

    def __init__(self, channels: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = layers.Conv2D(channels, kernel, strides=stride)
        self.pad = None
        if kernel // 2 != 0:
            self.pad = layers.ZeroPadding2D(kernel // 2)

    def call(self, x):
        if self.pad is not None:
            x = self.pad(x)
        return ops.relu(self.conv(x))


def halve(x):
    """Half the side, rounded up.

    x: float32 [N, H, W, C] -> float32 [N, H'', W'', C].
    """
    x = ops.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=-float("inf"))
    return ops.max_pool(x, 3, strides=2)


class Inception(layers.Layer):
    """GoogLeNet's (Szegedy, Liu, Jia et al. 2014, "Going deeper with convolutions",
    figure 2b). The arguments are the columns of the paper's table 1: filters of
    1x1; of 3x3 and of the 1x1 that reduces before it; of 5x5 likewise; after the
    pooling.

    x: float32 [N, H, W, C] -> float32 [N, H, W, five + one + pool + three].
    """

    def __init__(
        self, one: int, reduce3: int, three: int, reduce5: int, five: int, pool: int
    ) -> None:
        super().__init__()
        self.conv_relu1 = ConvRelu(one, 1)
        self.conv_relu2 = ConvRelu(reduce3, 1)
        self.conv_relu3 = ConvRelu(three, 3)
        self.conv_relu4 = ConvRelu(reduce5, 1)
        self.conv_relu5 = ConvRelu(five, 5)
        self.conv_relu6 = ConvRelu(pool, 1)

    def call(self, x):
        a = self.conv_relu1(x)  # [N, H, W, one]
        h = self.conv_relu2(x)  # [N, H, W, reduce3]
        b = self.conv_relu3(h)  # [N, H, W, three]
        h = self.conv_relu4(x)  # [N, H, W, reduce5]
        c = self.conv_relu5(h)  # [N, H, W, five]
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-float("inf"))
        x = ops.max_pool(x, 3, strides=1)  # [N, H, W, C]
        d = self.conv_relu6(x)  # [N, H, W, pool]
        return ops.concatenate([a, b, c, d], axis=3)


class GoogLeNet(keras.Model):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000, dropout: float = 0.4) -> None:
        super().__init__()
        self.conv_relu1 = ConvRelu(64, 7, stride=2)
        self.conv_relu2 = ConvRelu(64, 1)
        self.conv_relu3 = ConvRelu(192, 3)
        self.inception1 = Inception(64, 96, three=128, reduce5=16, five=32, pool=32)
        self.inception2 = Inception(128, 128, three=192, reduce5=32, five=96, pool=64)
        self.inception3 = Inception(192, 96, three=208, reduce5=16, five=48, pool=64)
        self.inception4 = Inception(160, 112, three=224, reduce5=24, five=64, pool=64)
        self.inception5 = Inception(128, 128, three=256, reduce5=24, five=64, pool=64)
        self.inception6 = Inception(112, 144, three=288, reduce5=32, five=64, pool=64)
        self.inception7 = Inception(256, 160, three=320, reduce5=32, five=128, pool=128)
        self.inception8 = Inception(256, 160, three=320, reduce5=32, five=128, pool=128)
        self.inception9 = Inception(384, 192, three=384, reduce5=48, five=128, pool=128)
        self.dropout = layers.Dropout(dropout)
        self.linear = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = self.conv_relu1(x)  # [N, 112, 112, 64]
        x = local_response_norm(halve(x), 5)  # [N, 56, 56, 64]
        x = self.conv_relu2(x)
        x = local_response_norm(self.conv_relu3(x), 5)  # [N, 56, 56, 192]
        x = halve(x)  # [N, 28, 28, 192]
        x = self.inception1(x)  # [N, 28, 28, 256]
        x = self.inception2(x)  # [N, 28, 28, 480]
        x = halve(x)  # [N, 14, 14, 480]
        x = self.inception3(x)  # [N, 14, 14, 512]
        x = self.inception4(x)
        x = self.inception5(x)
        x = self.inception6(x)  # [N, 14, 14, 528]
        x = self.inception7(x)  # [N, 14, 14, 832]
        x = halve(x)  # [N, 7, 7, 832]
        x = self.inception8(x)
        x = self.inception9(x)  # [N, 7, 7, 1024]
        x = ops.mean(x, axis=(1, 2))  # [N, 1024]
        return self.linear(self.dropout(x))

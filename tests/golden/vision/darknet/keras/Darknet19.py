"""Darknet19.

Printed by dlspec 0.1.0 from specs/vision/darknet.dls.
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


class DarknetConv(layers.Layer):
    """A convolution, normalised, and a ReLU that leaks a tenth. (Darknet's eps is
    1e-6, beside the standard deviation.)

    x: float32 [N, H, W, C] -> float32 [N, H'', W'', channels].
    """

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv = layers.Conv2D(channels, kernel, use_bias=False)
        self.norm = BatchNorm()
        self.pad = None
        if kernel // 2 != 0:
            self.pad = layers.ZeroPadding2D(kernel // 2)

    def call(self, x):
        if self.pad is not None:
            x = self.pad(x)
        x = self.norm(self.conv(x))  # [N, H'', W'', channels]
        return ops.where(x > 0.0, x, x * 0.1)


class Darknet19Trunk(layers.Layer):
    """The convolutions of Darknet-19 but the last (table 6): 3x3, and 1x1 with half
    the channels between them. Beside the result, at 1/32 of the side, what comes
    before the last halving (1/16), which YOLOv2 leads past.

    x: float32 [N, H, W, C]
    -> coarse: float32 [N, H'''', W'''', 32 * width], fine: float32 [N, H''',
    W''', 16 * width].
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.darknet_conv1 = DarknetConv(width, 3)
        self.darknet_conv2 = DarknetConv(2 * width, 3)
        self.darknet_conv3 = DarknetConv(4 * width, 3)
        self.darknet_conv4 = DarknetConv(2 * width, 1)
        self.darknet_conv5 = DarknetConv(4 * width, 3)
        self.darknet_conv6 = DarknetConv(8 * width, 3)
        self.darknet_conv7 = DarknetConv(4 * width, 1)
        self.darknet_conv8 = DarknetConv(8 * width, 3)
        self.darknet_conv9 = DarknetConv(16 * width, 3)
        self.darknet_conv10 = DarknetConv(8 * width, 1)
        self.darknet_conv11 = DarknetConv(16 * width, 3)
        self.darknet_conv12 = DarknetConv(8 * width, 1)
        self.darknet_conv13 = DarknetConv(16 * width, 3)
        self.darknet_conv14 = DarknetConv(32 * width, 3)
        self.darknet_conv15 = DarknetConv(16 * width, 1)
        self.darknet_conv16 = DarknetConv(32 * width, 3)
        self.darknet_conv17 = DarknetConv(16 * width, 1)
        self.darknet_conv18 = DarknetConv(32 * width, 3)

    def call(self, x):
        x = self.darknet_conv1(x)  # [N, H, W, width]
        x = ops.max_pool(x, 2)  # [N, H // 2, W // 2, width]
        x = self.darknet_conv2(x)  # [N, H // 2, W // 2, 2 * width]
        x = ops.max_pool(x, 2)  # [N, H', W', 2 * width]
        x = self.darknet_conv3(x)  # [N, H', W', 4 * width]
        x = self.darknet_conv4(x)  # [N, H', W', 2 * width]
        x = self.darknet_conv5(x)  # [N, H', W', 4 * width]
        x = ops.max_pool(x, 2)  # [N, H'', W'', 4 * width]
        x = self.darknet_conv6(x)  # [N, H'', W'', 8 * width]
        x = self.darknet_conv7(x)  # [N, H'', W'', 4 * width]
        x = self.darknet_conv8(x)  # [N, H'', W'', 8 * width]
        x = ops.max_pool(x, 2)  # [N, H''', W''', 8 * width]
        x = self.darknet_conv9(x)  # [N, H''', W''', 16 * width]
        x = self.darknet_conv10(x)  # [N, H''', W''', 8 * width]
        x = self.darknet_conv11(x)  # [N, H''', W''', 16 * width]
        x = self.darknet_conv12(x)  # [N, H''', W''', 8 * width]
        x = self.darknet_conv13(x)  # [N, H''', W''', 16 * width]
        x1 = ops.max_pool(x, 2)  # [N, H'''', W'''', 16 * width]
        x1 = self.darknet_conv14(x1)  # [N, H'''', W'''', 32 * width]
        x1 = self.darknet_conv15(x1)  # [N, H'''', W'''', 16 * width]
        x1 = self.darknet_conv16(x1)  # [N, H'''', W'''', 32 * width]
        x1 = self.darknet_conv17(x1)  # [N, H'''', W'''', 16 * width]
        x1 = self.darknet_conv18(x1)  # [N, H'''', W'''', 32 * width]
        return x1, x


class Darknet19(keras.Model):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000, width: int = 32) -> None:
        super().__init__()
        self.darknet19_trunk = Darknet19Trunk(width=width)
        self.conv = layers.Conv2D(classes, 1)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x, _ = self.darknet19_trunk(x)
        x = self.conv(x)  # [N, 7, 7, classes]
        return ops.mean(x, axis=(1, 2))

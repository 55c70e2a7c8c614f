"""DenseNet121.

Printed by dlspec 0.1.0 from specs/vision/densenet.dls.
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
        self,
        channels: int,
        kernel: int,
        padding: int,
        stride: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(padding)
        self.conv = layers.Conv2D(channels, kernel, strides=stride, use_bias=False)
        self.norm = BatchNorm(epsilon=eps)

    def call(self, x):
        x = self.pad(x)  # [N, H + 2 * padding, W + 2 * padding, C]
        return self.norm(self.conv(x))


class PreConv(layers.Layer):
    """Normalisation, ReLU, and only then the convolution.

    x: float32 [N, H, W, C] -> float32 [N, H'', W'', channels].
    """

    def __init__(self, channels: int, kernel: int, eps: float) -> None:
        super().__init__()
        self.norm = BatchNorm(epsilon=eps)
        self.conv = layers.Conv2D(channels, kernel, use_bias=False)
        self.pad = None
        if kernel // 2 != 0:
            self.pad = layers.ZeroPadding2D(kernel // 2)

    def call(self, x):
        x = ops.relu(self.norm(x))
        if self.pad is not None:
            x = self.pad(x)
        return self.conv(x)


class DenseLayer(layers.Layer):
    """What comes in, and `growth` new channels.

    x: float32 [N, H, W, C] -> float32 [N, H, W, C + growth].
    """

    def __init__(self, growth: int, eps: float) -> None:
        super().__init__()
        self.pre_conv1 = PreConv(4 * growth, 1, eps)
        self.pre_conv2 = PreConv(growth, 3, eps)

    def call(self, x):
        h = self.pre_conv1(x)  # [N, H, W, 4 * growth]
        new = self.pre_conv2(h)  # [N, H, W, growth]
        return ops.concatenate([x, new], axis=3)


class DenseBlock(layers.Layer):
    """x: float32 [N, H, W, C] -> x: float32 [N, H, W, C + 6 * growth]."""

    def __init__(self, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(growth, eps)
        self.dense_layer2 = DenseLayer(growth, eps)
        self.dense_layer3 = DenseLayer(growth, eps)
        self.dense_layer4 = DenseLayer(growth, eps)
        self.dense_layer5 = DenseLayer(growth, eps)
        self.dense_layer6 = DenseLayer(growth, eps)

    def call(self, x):
        x = self.dense_layer1(x)  # [N, H, W, C + growth]
        x = self.dense_layer2(x)  # [N, H, W, C + 2 * growth]
        x = self.dense_layer3(x)  # [N, H, W, C + 3 * growth]
        x = self.dense_layer4(x)  # [N, H, W, C + 4 * growth]
        x = self.dense_layer5(x)  # [N, H, W, C + 5 * growth]
        return self.dense_layer6(x)


class DenseBlock2(layers.Layer):
    """x: float32 [N, H, W, C] -> x: float32 [N, H, W, C + 12 * growth]."""

    def __init__(self, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(growth, eps)
        self.dense_layer2 = DenseLayer(growth, eps)
        self.dense_layer3 = DenseLayer(growth, eps)
        self.dense_layer4 = DenseLayer(growth, eps)
        self.dense_layer5 = DenseLayer(growth, eps)
        self.dense_layer6 = DenseLayer(growth, eps)
        self.dense_layer7 = DenseLayer(growth, eps)
        self.dense_layer8 = DenseLayer(growth, eps)
        self.dense_layer9 = DenseLayer(growth, eps)
        self.dense_layer10 = DenseLayer(growth, eps)
        self.dense_layer11 = DenseLayer(growth, eps)
        self.dense_layer12 = DenseLayer(growth, eps)

    def call(self, x):
        x = self.dense_layer1(x)  # [N, H, W, C + growth]
        x = self.dense_layer2(x)  # [N, H, W, C + 2 * growth]
        x = self.dense_layer3(x)  # [N, H, W, C + 3 * growth]
        x = self.dense_layer4(x)  # [N, H, W, C + 4 * growth]
        x = self.dense_layer5(x)  # [N, H, W, C + 5 * growth]
        x = self.dense_layer6(x)  # [N, H, W, C + 6 * growth]
        x = self.dense_layer7(x)  # [N, H, W, C + 7 * growth]
        x = self.dense_layer8(x)  # [N, H, W, C + 8 * growth]
        x = self.dense_layer9(x)  # [N, H, W, C + 9 * growth]
        x = self.dense_layer10(x)  # [N, H, W, C + 10 * growth]
        x = self.dense_layer11(x)  # [N, H, W, C + 11 * growth]
        return self.dense_layer12(x)


class DenseBlock3(layers.Layer):
    """x: float32 [N, H, W, C] -> x: float32 [N, H, W, C + 24 * growth]."""

    def __init__(self, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(growth, eps)
        self.dense_layer2 = DenseLayer(growth, eps)
        self.dense_layer3 = DenseLayer(growth, eps)
        self.dense_layer4 = DenseLayer(growth, eps)
        self.dense_layer5 = DenseLayer(growth, eps)
        self.dense_layer6 = DenseLayer(growth, eps)
        self.dense_layer7 = DenseLayer(growth, eps)
        self.dense_layer8 = DenseLayer(growth, eps)
        self.dense_layer9 = DenseLayer(growth, eps)
        self.dense_layer10 = DenseLayer(growth, eps)
        self.dense_layer11 = DenseLayer(growth, eps)
        self.dense_layer12 = DenseLayer(growth, eps)
        self.dense_layer13 = DenseLayer(growth, eps)
        self.dense_layer14 = DenseLayer(growth, eps)
        self.dense_layer15 = DenseLayer(growth, eps)
        self.dense_layer16 = DenseLayer(growth, eps)
        self.dense_layer17 = DenseLayer(growth, eps)
        self.dense_layer18 = DenseLayer(growth, eps)
        self.dense_layer19 = DenseLayer(growth, eps)
        self.dense_layer20 = DenseLayer(growth, eps)
        self.dense_layer21 = DenseLayer(growth, eps)
        self.dense_layer22 = DenseLayer(growth, eps)
        self.dense_layer23 = DenseLayer(growth, eps)
        self.dense_layer24 = DenseLayer(growth, eps)

    def call(self, x):
        x = self.dense_layer1(x)  # [N, H, W, C + growth]
        x = self.dense_layer2(x)  # [N, H, W, C + 2 * growth]
        x = self.dense_layer3(x)  # [N, H, W, C + 3 * growth]
        x = self.dense_layer4(x)  # [N, H, W, C + 4 * growth]
        x = self.dense_layer5(x)  # [N, H, W, C + 5 * growth]
        x = self.dense_layer6(x)  # [N, H, W, C + 6 * growth]
        x = self.dense_layer7(x)  # [N, H, W, C + 7 * growth]
        x = self.dense_layer8(x)  # [N, H, W, C + 8 * growth]
        x = self.dense_layer9(x)  # [N, H, W, C + 9 * growth]
        x = self.dense_layer10(x)  # [N, H, W, C + 10 * growth]
        x = self.dense_layer11(x)  # [N, H, W, C + 11 * growth]
        x = self.dense_layer12(x)  # [N, H, W, C + 12 * growth]
        x = self.dense_layer13(x)  # [N, H, W, C + 13 * growth]
        x = self.dense_layer14(x)  # [N, H, W, C + 14 * growth]
        x = self.dense_layer15(x)  # [N, H, W, C + 15 * growth]
        x = self.dense_layer16(x)  # [N, H, W, C + 16 * growth]
        x = self.dense_layer17(x)  # [N, H, W, C + 17 * growth]
        x = self.dense_layer18(x)  # [N, H, W, C + 18 * growth]
        x = self.dense_layer19(x)  # [N, H, W, C + 19 * growth]
        x = self.dense_layer20(x)  # [N, H, W, C + 20 * growth]
        x = self.dense_layer21(x)  # [N, H, W, C + 21 * growth]
        x = self.dense_layer22(x)  # [N, H, W, C + 22 * growth]
        x = self.dense_layer23(x)  # [N, H, W, C + 23 * growth]
        return self.dense_layer24(x)


class DenseBlock4(layers.Layer):
    """x: float32 [N, H, W, C] -> x: float32 [N, H, W, C + 16 * growth]."""

    def __init__(self, growth: int, eps: float) -> None:
        super().__init__()
        self.dense_layer1 = DenseLayer(growth, eps)
        self.dense_layer2 = DenseLayer(growth, eps)
        self.dense_layer3 = DenseLayer(growth, eps)
        self.dense_layer4 = DenseLayer(growth, eps)
        self.dense_layer5 = DenseLayer(growth, eps)
        self.dense_layer6 = DenseLayer(growth, eps)
        self.dense_layer7 = DenseLayer(growth, eps)
        self.dense_layer8 = DenseLayer(growth, eps)
        self.dense_layer9 = DenseLayer(growth, eps)
        self.dense_layer10 = DenseLayer(growth, eps)
        self.dense_layer11 = DenseLayer(growth, eps)
        self.dense_layer12 = DenseLayer(growth, eps)
        self.dense_layer13 = DenseLayer(growth, eps)
        self.dense_layer14 = DenseLayer(growth, eps)
        self.dense_layer15 = DenseLayer(growth, eps)
        self.dense_layer16 = DenseLayer(growth, eps)

    def call(self, x):
        x = self.dense_layer1(x)  # [N, H, W, C + growth]
        x = self.dense_layer2(x)  # [N, H, W, C + 2 * growth]
        x = self.dense_layer3(x)  # [N, H, W, C + 3 * growth]
        x = self.dense_layer4(x)  # [N, H, W, C + 4 * growth]
        x = self.dense_layer5(x)  # [N, H, W, C + 5 * growth]
        x = self.dense_layer6(x)  # [N, H, W, C + 6 * growth]
        x = self.dense_layer7(x)  # [N, H, W, C + 7 * growth]
        x = self.dense_layer8(x)  # [N, H, W, C + 8 * growth]
        x = self.dense_layer9(x)  # [N, H, W, C + 9 * growth]
        x = self.dense_layer10(x)  # [N, H, W, C + 10 * growth]
        x = self.dense_layer11(x)  # [N, H, W, C + 11 * growth]
        x = self.dense_layer12(x)  # [N, H, W, C + 12 * growth]
        x = self.dense_layer13(x)  # [N, H, W, C + 13 * growth]
        x = self.dense_layer14(x)  # [N, H, W, C + 14 * growth]
        x = self.dense_layer15(x)  # [N, H, W, C + 15 * growth]
        return self.dense_layer16(x)


class Transition(layers.Layer):
    """Half the channels, half the side.

    x: float32 [N, H, W, in_channels]
    -> float32 [N, H // 2, W // 2, in_channels // 2].
    """

    def __init__(self, in_channels: int, eps: float) -> None:
        super().__init__()
        self.pre_conv = PreConv(in_channels // 2, 1, eps)

    def call(self, x):
        x = self.pre_conv(x)  # [N, H, W, in_channels // 2]
        return ops.average_pool(x, 2)


class DenseNet121(keras.Model):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, growth: int = 32, eps: float = 1e-5
    ) -> None:
        super().__init__()
        self.conv_bn = ConvBN(2 * growth, 7, padding=3, stride=2, eps=eps)
        self.dense_block1 = DenseBlock(growth, eps)
        self.transition1 = Transition(8 * growth, eps)
        self.dense_block2 = DenseBlock2(growth, eps)
        self.transition2 = Transition(16 * growth, eps)
        self.dense_block3 = DenseBlock3(growth, eps)
        self.transition3 = Transition(32 * growth, eps)
        self.dense_block4 = DenseBlock4(growth, eps)
        self.norm = BatchNorm(epsilon=eps)
        self.linear = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = ops.relu(self.conv_bn(x))  # [N, 112, 112, 2 * growth]
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-float("inf"))
        x = ops.max_pool(x, 3, strides=2)  # [N, 56, 56, 2 * growth]
        x = self.dense_block1(x)  # [N, 56, 56, 8 * growth]
        x = self.transition1(x)  # [N, 28, 28, 4 * growth]
        x = self.dense_block2(x)  # [N, 28, 28, 16 * growth]
        x = self.transition2(x)  # [N, 14, 14, 8 * growth]
        x = self.dense_block3(x)  # [N, 14, 14, 32 * growth]
        x = self.transition3(x)  # [N, 7, 7, 16 * growth]
        x = self.dense_block4(x)  # [N, 7, 7, 32 * growth]
        x = ops.relu(self.norm(x))
        x = ops.mean(x, axis=(1, 2))  # [N, 32 * growth]
        return self.linear(x)

"""MobileNetV2: With `same`, padding is as in the authors' TensorFlow; without, alike
on all sides as in torchvision.

Printed by dlspec 0.1.0 from specs/vision/mobilenet_v2.dls.
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
        groups: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv = layers.Conv2D(
            channels, kernel, strides=stride, groups=groups, use_bias=False
        )
        self.norm = BatchNorm(epsilon=eps)
        self.pad = None
        if padding != 0:
            self.pad = layers.ZeroPadding2D(padding)

    def call(self, x):
        if self.pad is not None:
            x = self.pad(x)
        return self.norm(self.conv(x))


class ConvBN2(layers.Layer):
    """A convolution and its normalisation, padded so that only the stride makes the
    image smaller: alike on all sides, or with `padding = "same"` as TensorFlow
    does. It has no bias, as normalisation would take it away again.

    x: float32 [N, H, W, in_channels] -> float32 [N, H', W', channels].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        kernel: int,
        padding: int,
        stride: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(padding)
        self.conv = layers.DepthwiseConv2D(
            kernel,
            strides=stride,
            depth_multiplier=channels // in_channels,
            use_bias=False,
        )
        self.norm = BatchNorm(epsilon=eps)

    def call(self, x):
        x = self.pad(x)  # [N, H + 2 * padding, W + 2 * padding, in_channels]
        return self.norm(self.conv(x))


class InvertedResidual(layers.Layer):
    """Wide inside, narrow outside: 1x1 up to `expand` times as many channels, a
    convolution of each channel for itself, 1x1 down to `channels`, without an
    activation at the end; with a shortcut where the shapes allow it (Sandler et
    al. 2018, "MobileNetV2"). EfficientNet's (MBConv) weighs the wide channels
    with a bottleneck of a `squeeze`th of the input's, and leaves the branch out
    in training with probability `drop`.

    x: float32 [N, H, W, in_channels] -> y: float32 [N, H', W', channels].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        expand: int,
        padding: int,
        stride: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN2(
            in_channels,
            in_channels * expand,
            kernel=3,
            padding=padding,
            stride=stride,
            eps=eps,
        )
        self.conv_bn2 = ConvBN(channels, 1, padding=0, eps=eps)

    def call(self, x):
        y = ops.relu6(self.conv_bn1(x))  # [N, H', W', in_channels * expand]
        return self.conv_bn2(y)


class InvertedResidual2(layers.Layer):
    """Wide inside, narrow outside: 1x1 up to `expand` times as many channels, a
    convolution of each channel for itself, 1x1 down to `channels`, without an
    activation at the end; with a shortcut where the shapes allow it (Sandler et
    al. 2018, "MobileNetV2"). EfficientNet's (MBConv) weighs the wide channels
    with a bottleneck of a `squeeze`th of the input's, and leaves the branch out
    in training with probability `drop`.

    x: float32 [N, H, W, in_channels] -> y: float32 [N, H, W, in_channels].
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        expand: int,
        padding: int,
        stride: int = 1,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.channels = channels
        self.conv_bn1 = ConvBN(in_channels * expand, 1, padding=0, eps=eps)
        self.conv_bn2 = ConvBN2(
            in_channels * expand,
            in_channels * expand,
            kernel=3,
            padding=padding,
            stride=stride,
            eps=eps,
        )
        self.conv_bn3 = ConvBN(channels, 1, padding=0, eps=eps)

    def call(self, x):
        C = ops.shape(x)[3]
        y = ops.relu6(self.conv_bn1(x))  # [N, H, W, in_channels * expand]
        y = ops.relu6(self.conv_bn2(y))  # [N, H', W', in_channels * expand]
        y = self.conv_bn3(y)  # [N, H', W', channels]
        if self.stride == 1 and C == self.channels:
            y = x + y
        return y


class MobileNetV2(keras.Model):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self,
        classes: int = 1000,
        head: int = 1280,
        dropout: float = 0.2,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.conv_bn1 = ConvBN(32, 3, padding=1, stride=2, eps=eps)
        self.inverted_residual1 = InvertedResidual(32, 16, expand=1, padding=1, eps=eps)
        self.inverted_residual2 = InvertedResidual2(
            16, 24, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual3 = InvertedResidual2(
            24, 24, expand=6, padding=1, eps=eps
        )
        self.inverted_residual4 = InvertedResidual2(
            24, 32, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual5 = InvertedResidual2(
            32, 32, expand=6, padding=1, eps=eps
        )
        self.inverted_residual6 = InvertedResidual2(
            32, 32, expand=6, padding=1, eps=eps
        )
        self.inverted_residual7 = InvertedResidual2(
            32, 64, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual8 = InvertedResidual2(
            64, 64, expand=6, padding=1, eps=eps
        )
        self.inverted_residual9 = InvertedResidual2(
            64, 64, expand=6, padding=1, eps=eps
        )
        self.inverted_residual10 = InvertedResidual2(
            64, 64, expand=6, padding=1, eps=eps
        )
        self.inverted_residual11 = InvertedResidual2(
            64, 96, expand=6, padding=1, eps=eps
        )
        self.inverted_residual12 = InvertedResidual2(
            96, 96, expand=6, padding=1, eps=eps
        )
        self.inverted_residual13 = InvertedResidual2(
            96, 96, expand=6, padding=1, eps=eps
        )
        self.inverted_residual14 = InvertedResidual2(
            96, 160, expand=6, padding=1, stride=2, eps=eps
        )
        self.inverted_residual15 = InvertedResidual2(
            160, 160, expand=6, padding=1, eps=eps
        )
        self.inverted_residual16 = InvertedResidual2(
            160, 160, expand=6, padding=1, eps=eps
        )
        self.inverted_residual17 = InvertedResidual2(
            160, 320, expand=6, padding=1, eps=eps
        )
        self.conv_bn2 = ConvBN(head, 1, padding=0, eps=eps)
        self.dropout = layers.Dropout(dropout)
        self.linear = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = ops.relu6(self.conv_bn1(x))  # [N, 112, 112, 32]
        x = self.inverted_residual1(x)  # [N, 112, 112, 16]
        x = self.inverted_residual2(x)  # [N, 56, 56, 24]
        x = self.inverted_residual3(x)
        x = self.inverted_residual4(x)  # [N, 28, 28, 32]
        x = self.inverted_residual5(x)
        x = self.inverted_residual6(x)
        x = self.inverted_residual7(x)  # [N, 14, 14, 64]
        x = self.inverted_residual8(x)
        x = self.inverted_residual9(x)
        x = self.inverted_residual10(x)
        x = self.inverted_residual11(x)  # [N, 14, 14, 96]
        x = self.inverted_residual12(x)
        x = self.inverted_residual13(x)
        x = self.inverted_residual14(x)  # [N, 7, 7, 160]
        x = self.inverted_residual15(x)
        x = self.inverted_residual16(x)
        x = self.inverted_residual17(x)  # [N, 7, 7, 320]
        x = ops.relu6(self.conv_bn2(x))  # [N, 7, 7, head]
        x = ops.mean(x, axis=(1, 2))  # [N, head]
        return self.linear(self.dropout(x))

"""ShowAndTell: the whole: Inception-v3 up to its 2048 features, and the decoder.
37,233,344 parameters.

Printed by dlspec 0.1.0 from specs/multimodal/show_and_tell.dls.
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


class ConvUnit(layers.Layer):
    """A convolution, normalised. What is not padded is "valid".

    x: float32 [N, H, W, C] -> float32 [N, H'', W'', channels].
    """

    def __init__(
        self,
        channels: int,
        kernel: int | tuple[int, ...],
        padding2: int | tuple[int, ...],
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.conv = layers.Conv2D(channels, kernel, strides=stride, use_bias=False)
        self.norm = BatchNorm(epsilon=0.001)
        self.pad = None
        if padding2 != 0:
            self.pad = layers.ZeroPadding2D(padding2)

    def call(self, x):
        if self.pad is not None:
            x = self.pad(x)
        return ops.relu(self.norm(self.conv(x)))


class PoolBranch(layers.Layer):
    """The branch of every module of stride 1 that averages first. Padding counts as
    zeros, as in torchvision, or does not, as in the authors' TensorFlow.

    x: float32 [N, H, W, C] -> float32 [N, H, W, channels].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv_unit = ConvUnit(channels, 1, padding2=0)

    def call(self, x):
        x = self.pad(x)  # [N, H + 2, W + 2, C]
        x = ops.average_pool(x, 3, strides=1)  # [N, H, W, C]
        return self.conv_unit(x)


class InceptionA(layers.Layer):
    """Figure 5, on 35 x 35: one of its branches has two 3x3 in place of a 5x5.

    x: float32 [N, H, W, C] -> float32 [N, H, W, pool + 224].
    """

    def __init__(self, pool: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(64, 1, padding2=0)
        self.conv_unit2 = ConvUnit(48, 1, padding2=0)
        self.conv_unit3 = ConvUnit(64, 5, padding2=2)
        self.conv_unit4 = ConvUnit(64, 1, padding2=0)
        self.conv_unit5 = ConvUnit(96, 3, padding2=1)
        self.conv_unit6 = ConvUnit(96, 3, padding2=1)
        self.pool_branch = PoolBranch(pool)

    def call(self, x):
        a = self.conv_unit1(x)  # [N, H, W, 64]
        h = self.conv_unit2(x)  # [N, H, W, 48]
        b = self.conv_unit3(h)  # [N, H, W, 64]
        h = self.conv_unit4(x)  # [N, H, W, 64]
        h = self.conv_unit5(h)  # [N, H, W, 96]
        c = self.conv_unit6(h)
        d = self.pool_branch(x)  # [N, H, W, pool]
        return ops.concatenate([a, b, c, d], axis=3)


class ReductionB(layers.Layer):
    """From 35 x 35 to 17 x 17 (figure 10).

    x: float32 [N, H, W, C] -> float32 [N, H', W', C + 480].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(384, 3, padding2=0, stride=2)
        self.conv_unit2 = ConvUnit(64, 1, padding2=0)
        self.conv_unit3 = ConvUnit(96, 3, padding2=1)
        self.conv_unit4 = ConvUnit(96, 3, padding2=0, stride=2)

    def call(self, x):
        a = self.conv_unit1(x)  # [N, H', W', 384]
        h = self.conv_unit2(x)  # [N, H, W, 64]
        h = self.conv_unit3(h)  # [N, H, W, 96]
        b = self.conv_unit4(h)  # [N, H', W', 96]
        c = ops.max_pool(x, 3, strides=2)  # [N, H', W', C]
        return ops.concatenate([a, b, c], axis=3)


class InceptionC(layers.Layer):
    """Figure 6, on 17 x 17: 7x7 taken apart into 1x7 and 7x1, of `width` filters.

    x: float32 [N, H, W, C] -> float32 [N, H, W, 768].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(192, 1, padding2=0)
        self.conv_unit2 = ConvUnit(width, 1, padding2=0)
        self.conv_unit3 = ConvUnit(width, kernel=(1, 7), padding2=(0, 3))
        self.conv_unit4 = ConvUnit(192, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit5 = ConvUnit(width, 1, padding2=0)
        self.conv_unit6 = ConvUnit(width, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit7 = ConvUnit(width, kernel=(1, 7), padding2=(0, 3))
        self.conv_unit8 = ConvUnit(width, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit9 = ConvUnit(192, kernel=(1, 7), padding2=(0, 3))
        self.pool_branch = PoolBranch(192)

    def call(self, x):
        a = self.conv_unit1(x)  # [N, H, W, 192]
        h = self.conv_unit2(x)  # [N, H, W, width]
        h = self.conv_unit3(h)
        b = self.conv_unit4(h)  # [N, H, W, 192]
        h = self.conv_unit5(x)  # [N, H, W, width]
        h = self.conv_unit6(h)
        h = self.conv_unit7(h)
        h = self.conv_unit8(h)
        c = self.conv_unit9(h)  # [N, H, W, 192]
        d = self.pool_branch(x)  # [N, H, W, 192]
        return ops.concatenate([a, b, c, d], axis=3)


class LowerInception(layers.Layer):
    """The network of the authors' code up to the 17 x 17 layers with 768 channels,
    where the auxiliary classifier is attached.

    image: float32 [N, H, W, C] -> x: float32 [N, H'''''', W'''''', 768].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(32, 3, padding2=0, stride=2)
        self.conv_unit2 = ConvUnit(32, 3, padding2=0)
        self.conv_unit3 = ConvUnit(64, 3, padding2=1)
        self.conv_unit4 = ConvUnit(80, 1, padding2=0)
        self.conv_unit5 = ConvUnit(192, 3, padding2=0)
        self.inception_a1 = InceptionA(32)
        self.inception_a2 = InceptionA(64)
        self.inception_a3 = InceptionA(64)
        self.reduction_b = ReductionB()
        self.inception_c1 = InceptionC(128)
        self.inception_c2 = InceptionC(160)
        self.inception_c3 = InceptionC(160)
        self.inception_c4 = InceptionC(192)

    def call(self, image):
        x = self.conv_unit1(image)  # [N, H', W', 32]
        x = self.conv_unit2(x)  # [N, H'', W'', 32]
        x = self.conv_unit3(x)  # [N, H'', W'', 64]
        x = ops.max_pool(x, 3, strides=2)  # [N, H''', W''', 64]
        x = self.conv_unit4(x)  # [N, H''', W''', 80]
        x = self.conv_unit5(x)  # [N, H'''', W'''', 192]
        x = ops.max_pool(x, 3, strides=2)  # [N, H''''', W''''', 192]
        x = self.inception_a1(x)  # [N, H''''', W''''', 256]
        x = self.inception_a2(x)  # [N, H''''', W''''', 288]
        x = self.inception_a3(x)
        x = self.reduction_b(x)  # [N, H'''''', W'''''', 768]
        x = self.inception_c1(x)
        x = self.inception_c2(x)
        x = self.inception_c3(x)
        return self.inception_c4(x)


class ReductionD(layers.Layer):
    """From 17 x 17 to 8 x 8.

    x: float32 [N, H, W, C] -> float32 [N, H', W', C + 512].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(192, 1, padding2=0)
        self.conv_unit2 = ConvUnit(320, 3, padding2=0, stride=2)
        self.conv_unit3 = ConvUnit(192, 1, padding2=0)
        self.conv_unit4 = ConvUnit(192, kernel=(1, 7), padding2=(0, 3))
        self.conv_unit5 = ConvUnit(192, kernel=(7, 1), padding2=(3, 0))
        self.conv_unit6 = ConvUnit(192, 3, padding2=0, stride=2)

    def call(self, x):
        h = self.conv_unit1(x)  # [N, H, W, 192]
        a = self.conv_unit2(h)  # [N, H', W', 320]
        h = self.conv_unit3(x)  # [N, H, W, 192]
        h = self.conv_unit4(h)
        h = self.conv_unit5(h)
        b = self.conv_unit6(h)  # [N, H', W', 192]
        c = ops.max_pool(x, 3, strides=2)  # [N, H', W', C]
        return ops.concatenate([a, b, c], axis=3)


class InceptionE(layers.Layer):
    """Figure 7, on 8 x 8: 1x3 and 3x1 side by side.

    x: float32 [N, H, W, C] -> float32 [N, H, W, 2048].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_unit1 = ConvUnit(320, 1, padding2=0)
        self.conv_unit2 = ConvUnit(384, 1, padding2=0)
        self.conv_unit3 = ConvUnit(448, 1, padding2=0)
        self.conv_unit4 = ConvUnit(384, 3, padding2=1)
        self.pool_branch = PoolBranch(192)
        self.conv_unit5 = ConvUnit(384, kernel=(1, 3), padding2=(0, 1))
        self.conv_unit6 = ConvUnit(384, kernel=(3, 1), padding2=(1, 0))
        self.conv_unit7 = ConvUnit(384, kernel=(1, 3), padding2=(0, 1))
        self.conv_unit8 = ConvUnit(384, kernel=(3, 1), padding2=(1, 0))

    def call(self, x):
        a = self.conv_unit1(x)  # [N, H, W, 320]
        b = self.conv_unit2(x)  # [N, H, W, 384]
        h = self.conv_unit3(x)  # [N, H, W, 448]
        c = self.conv_unit4(h)  # [N, H, W, 384]
        d = self.pool_branch(x)  # [N, H, W, 192]
        x = self.conv_unit5(b)
        h = self.conv_unit6(b)
        y = self.conv_unit7(c)
        z = self.conv_unit8(c)
        return ops.concatenate([a, x, h, y, z, d], axis=3)


class UpperInception(layers.Layer):
    """From there to the 8 x 8 layers with 2048 channels.

    x: float32 [N, H, W, C] -> float32 [N, H', W', 2048].
    """

    def __init__(self) -> None:
        super().__init__()
        self.reduction_d = ReductionD()
        self.inception_e1 = InceptionE()
        self.inception_e2 = InceptionE()

    def call(self, x):
        x = self.reduction_d(x)  # [N, H', W', C + 512]
        x = self.inception_e1(x)  # [N, H', W', 2048]
        return self.inception_e2(x)


class Decoder(layers.Layer):
    """image: float32 [N, 2048], caption: int64 [N, T]
    -> logits: float32 [N, T, words].
    """

    def __init__(
        self, words: int = 12000, width: int = 512, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.see = layers.Dense(width, use_bias=False)
        self.embed = layers.Embedding(words, width)
        self.dropout1 = layers.Dropout(dropout)
        self.lstm = layers.LSTM(width, return_sequences=True)
        self.dropout2 = layers.Dropout(dropout)
        self.linear = layers.Dense(words)

    def call(self, image, caption):
        x = self.see(image)  # [N, width]
        y = self.embed(caption)  # [N, T, width]
        x = ops.concatenate([x[:, None], y], axis=1)  # [N, T + 1, width]
        h = self.dropout2(self.lstm(self.dropout1(x)))
        x = h[:, 1:]  # [N, T, width]
        return self.linear(x)


class ShowAndTell(keras.Model):
    """image: float32 [N, 3, 299, 299], caption: int64 [N, T]
    -> logits: float32 [N, T, 12000].
    """

    def __init__(
        self, words: int = 12000, width: int = 512, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.lower_inception = LowerInception()
        self.upper_inception = UpperInception()
        self.decoder = Decoder(words=words, width=width, dropout=dropout)

    def call(self, image, caption):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 299, 299, 3]
        x = self.lower_inception(x)  # [N, 17, 17, 768]
        x = self.upper_inception(x)  # [N, 8, 8, 2048]
        features = ops.mean(x, axis=(1, 2))  # [N, 2048]
        return self.decoder(features, caption)

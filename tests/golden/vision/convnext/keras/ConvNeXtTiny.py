"""ConvNeXtTiny: `drop` is how often the last block is left out in training; earlier
ones are less often, in proportion.

Printed by dlspec 0.1.0 from specs/vision/convnext.dls.
"""

import keras
from keras import layers, ops


class ChannelNorm(layers.Layer):
    """Each position's channels normalised.

    x: float32 [N, H, W, C] -> float32 [N, H, W, C].
    """

    def __init__(self) -> None:
        super().__init__()
        self.norm = layers.LayerNormalization(epsilon=1e-6)

    def call(self, x):
        return self.norm(x)


class StochasticDepth(layers.Layer):
    """A branch beside a shortcut that in training is left out for an example with
    probability `p`, and scaled up otherwise (Huang, Sun, Liu, Sedra and
    Weinberger 2016, "Deep networks with stochastic depth").

    x: float32 [N, H, W, C] -> float32 [N, H, W, C].
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.dropout = layers.Dropout(p)

    def call(self, x):
        N = ops.shape(x)[0]
        kept = self.dropout(ops.ones((N, 1, 1, 1), dtype=keras.config.floatx()))
        return x * kept


class ConvNeXtBlock(layers.Layer):
    """7x7 within each channel, then two layers across channels, scaled by learned
    factors that start almost at nothing.

    x: float32 [N, H, W, in_channels] -> float32 [N, H, W, in_channels].
    """

    def __init__(self, in_channels: int, drop: float) -> None:
        super().__init__()
        self.scale = self.add_weight(
            shape=(in_channels,), initializer=keras.initializers.Constant(1e-6)
        )
        self.pad = layers.ZeroPadding2D(3)
        self.conv = layers.DepthwiseConv2D(7)
        self.norm = layers.LayerNormalization(epsilon=1e-6)
        self.linear1 = layers.Dense(4 * in_channels)
        self.linear2 = layers.Dense(in_channels)
        self.stochastic_depth = StochasticDepth(drop)

    def call(self, x):
        h = self.pad(x)  # [N, H + 6, W + 6, in_channels]
        h = self.norm(self.conv(h))  # [N, H, W, in_channels]
        h = ops.gelu(self.linear1(h), approximate=False)  # [N, H, W, 4 * in_channels]
        y = self.linear2(h)  # [N, H, W, in_channels]
        h = y * self.scale
        return x + self.stochastic_depth(h)


class ConvNeXtTiny(keras.Model):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(96, 4, strides=4)
        self.norm1 = ChannelNorm()
        self.conv_ne_xt_block1 = ConvNeXtBlock(96, drop=0.0)
        self.conv_ne_xt_block2 = ConvNeXtBlock(96, drop=0.0058823529411764705)
        self.conv_ne_xt_block3 = ConvNeXtBlock(96, drop=0.011764705882352941)
        self.norm2 = ChannelNorm()
        self.conv2 = layers.Conv2D(192, 2, strides=2)
        self.conv_ne_xt_block4 = ConvNeXtBlock(192, drop=0.017647058823529415)
        self.conv_ne_xt_block5 = ConvNeXtBlock(192, drop=0.023529411764705882)
        self.conv_ne_xt_block6 = ConvNeXtBlock(192, drop=0.029411764705882353)
        self.norm3 = ChannelNorm()
        self.conv3 = layers.Conv2D(384, 2, strides=2)
        self.conv_ne_xt_block7 = ConvNeXtBlock(384, drop=0.03529411764705883)
        self.conv_ne_xt_block8 = ConvNeXtBlock(384, drop=0.0411764705882353)
        self.conv_ne_xt_block9 = ConvNeXtBlock(384, drop=0.047058823529411764)
        self.conv_ne_xt_block10 = ConvNeXtBlock(384, drop=0.052941176470588235)
        self.conv_ne_xt_block11 = ConvNeXtBlock(384, drop=0.058823529411764705)
        self.conv_ne_xt_block12 = ConvNeXtBlock(384, drop=0.06470588235294118)
        self.conv_ne_xt_block13 = ConvNeXtBlock(384, drop=0.07058823529411766)
        self.conv_ne_xt_block14 = ConvNeXtBlock(384, drop=0.07647058823529412)
        self.conv_ne_xt_block15 = ConvNeXtBlock(384, drop=0.0823529411764706)
        self.norm4 = ChannelNorm()
        self.conv4 = layers.Conv2D(768, 2, strides=2)
        self.conv_ne_xt_block16 = ConvNeXtBlock(768, drop=0.08823529411764706)
        self.conv_ne_xt_block17 = ConvNeXtBlock(768, drop=0.09411764705882353)
        self.conv_ne_xt_block18 = ConvNeXtBlock(768, drop=0.1)
        self.norm5 = layers.LayerNormalization(epsilon=1e-6)
        self.linear = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = self.conv1(x)  # [N, 56, 56, 96]
        x = self.norm1(x)
        x = self.conv_ne_xt_block1(x)
        x = self.conv_ne_xt_block2(x)
        x = self.conv_ne_xt_block3(x)
        x = self.norm2(x)
        x = self.conv2(x)  # [N, 28, 28, 192]
        x = self.conv_ne_xt_block4(x)
        x = self.conv_ne_xt_block5(x)
        x = self.conv_ne_xt_block6(x)
        x = self.norm3(x)
        x = self.conv3(x)  # [N, 14, 14, 384]
        x = self.conv_ne_xt_block7(x)
        x = self.conv_ne_xt_block8(x)
        x = self.conv_ne_xt_block9(x)
        x = self.conv_ne_xt_block10(x)
        x = self.conv_ne_xt_block11(x)
        x = self.conv_ne_xt_block12(x)
        x = self.conv_ne_xt_block13(x)
        x = self.conv_ne_xt_block14(x)
        x = self.conv_ne_xt_block15(x)
        x = self.norm4(x)
        x = self.conv4(x)  # [N, 7, 7, 768]
        x = self.conv_ne_xt_block16(x)
        x = self.conv_ne_xt_block17(x)
        x = self.conv_ne_xt_block18(x)
        x = ops.mean(x, axis=(1, 2))  # [N, 768]
        return self.linear(self.norm5(x))

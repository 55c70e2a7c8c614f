"""VGG16.

Printed by dlspec 0.1.0 from specs/vision/vgg.dls.
"""

import keras
from keras import layers, ops


class VGGStage(layers.Layer):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, H, W, C] -> float32 [N, H // 2, W // 2, channels].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels, 3)

    def call(self, x):
        x = self.pad(x)  # [N, H + 2, W + 2, C]
        x = ops.relu(self.conv1(x))  # [N, H, W, channels]
        x = self.pad2(x)  # [N, H + 2, W + 2, channels]
        x = ops.relu(self.conv2(x))  # [N, H, W, channels]
        return ops.max_pool(x, 2)


class VGGStageProjection(layers.Layer):
    """`depth` 3x3 convolutions, then half the side: rounded up with `ceil_mode`, as
    Caffe does.

    x: float32 [N, H, W, C] -> float32 [N, H // 2, W // 2, channels].
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(channels, 3)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(channels, 3)
        self.pad3 = layers.ZeroPadding2D(1)
        self.conv3 = layers.Conv2D(channels, 3)

    def call(self, x):
        x = self.pad(x)  # [N, H + 2, W + 2, C]
        x = ops.relu(self.conv1(x))  # [N, H, W, channels]
        x = self.pad2(x)  # [N, H + 2, W + 2, channels]
        x = ops.relu(self.conv2(x))  # [N, H, W, channels]
        x = self.pad3(x)  # [N, H + 2, W + 2, channels]
        x = ops.relu(self.conv3(x))  # [N, H, W, channels]
        return ops.max_pool(x, 2)


class VGG16(keras.Model):
    """image: float32 [N, 3, 224, 224] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.vgg_stage1 = VGGStage(64)
        self.vgg_stage2 = VGGStage(128)
        self.vgg_stage3 = VGGStageProjection(256)
        self.vgg_stage4 = VGGStageProjection(512)
        self.vgg_stage5 = VGGStageProjection(512)
        self.linear1 = layers.Dense(hidden)
        self.dropout1 = layers.Dropout(dropout)
        self.linear2 = layers.Dense(hidden)
        self.dropout2 = layers.Dropout(dropout)
        self.linear3 = layers.Dense(classes)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 224, 224, 3]
        x = self.vgg_stage1(x)  # [N, 112, 112, 64]
        x = self.vgg_stage2(x)  # [N, 56, 56, 128]
        x = self.vgg_stage3(x)  # [N, 28, 28, 256]
        x = self.vgg_stage4(x)  # [N, 14, 14, 512]
        x = self.vgg_stage5(x)  # [N, 7, 7, 512]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 512, 7, 7]
        x = ops.reshape(x, (-1, 25088))  # [N, 25088]
        x = self.dropout1(ops.relu(self.linear1(x)))  # [N, hidden]
        x = self.dropout2(ops.relu(self.linear2(x)))
        return self.linear3(x)

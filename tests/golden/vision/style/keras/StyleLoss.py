"""StyleLoss: What StyleNet minimizes: the drawn image has the style of one image and
the content of another. Images as VGG-19 takes them.

Printed by dlspec 0.1.0 from specs/vision/style.dls.
"""

import keras
from keras import layers, ops


class Features(layers.Layer):
    """VGG-19 up to its tenth convolution, not trained: the first maps of each
    resolution tell the style, the last the content.

    x: float32 [N, H, W, 3]
    -> relu1_1: float32 [N, H, W, width], relu2_1: float32 [N, H // 2, W // 2, 2 *
    width], relu3_1: float32 [N, width, width, 4 * width], relu4_1: float32 [N,
    H''', W''', 8 * width], relu4_2: float32 [N, H''', W''', 8 * width].
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(width, 3)
        self.conv1.trainable = False
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv2 = layers.Conv2D(width, 3)
        self.conv2.trainable = False
        self.pad3 = layers.ZeroPadding2D(1)
        self.conv3 = layers.Conv2D(2 * width, 3)
        self.conv3.trainable = False
        self.pad4 = layers.ZeroPadding2D(1)
        self.conv4 = layers.Conv2D(2 * width, 3)
        self.conv4.trainable = False
        self.pad5 = layers.ZeroPadding2D(1)
        self.conv5 = layers.Conv2D(4 * width, 3)
        self.conv5.trainable = False
        self.pad6 = layers.ZeroPadding2D(1)
        self.conv6 = layers.Conv2D(4 * width, 3)
        self.conv6.trainable = False
        self.pad7 = layers.ZeroPadding2D(1)
        self.conv7 = layers.Conv2D(4 * width, 3)
        self.conv7.trainable = False
        self.pad8 = layers.ZeroPadding2D(1)
        self.conv8 = layers.Conv2D(4 * width, 3)
        self.conv8.trainable = False
        self.pad9 = layers.ZeroPadding2D(1)
        self.conv9 = layers.Conv2D(8 * width, 3)
        self.conv9.trainable = False
        self.pad10 = layers.ZeroPadding2D(1)
        self.conv10 = layers.Conv2D(8 * width, 3)
        self.conv10.trainable = False

    def call(self, x):
        x = self.pad(x)  # [N, H + 2, W + 2, 3]
        x = ops.relu(self.conv1(x))  # [N, H, W, width]
        h = self.pad2(x)  # [N, H + 2, W + 2, width]
        x1 = ops.relu(self.conv2(h))  # [N, H, W, width]
        x1 = ops.max_pool(x1, 2)  # [N, H // 2, W // 2, width]
        h = self.pad3(x1)  # [N, H', W', width]
        x1 = ops.relu(self.conv3(h))  # [N, H // 2, W // 2, 2 * width]
        h = self.pad4(x1)  # [N, H', W', 2 * width]
        x2 = ops.relu(self.conv4(h))  # [N, H // 2, W // 2, 2 * width]
        x2 = ops.max_pool(x2, 2)  # [N, width, width, 2 * width]
        h = self.pad5(x2)  # [N, H'', W'', 2 * width]
        x2 = ops.relu(self.conv5(h))  # [N, width, width, 4 * width]
        h = self.pad6(x2)  # [N, H'', W'', 4 * width]
        x3 = ops.relu(self.conv6(h))  # [N, width, width, 4 * width]
        h = self.pad7(x3)  # [N, H'', W'', 4 * width]
        x3 = ops.relu(self.conv7(h))  # [N, width, width, 4 * width]
        h = self.pad8(x3)  # [N, H'', W'', 4 * width]
        x3 = ops.relu(self.conv8(h))  # [N, width, width, 4 * width]
        x3 = ops.max_pool(x3, 2)  # [N, H''', W''', 4 * width]
        h = self.pad9(x3)  # [N, H'''', W'''', 4 * width]
        x3 = ops.relu(self.conv9(h))  # [N, H''', W''', 8 * width]
        h = self.pad10(x3)  # [N, H'''', W'''', 8 * width]
        x4 = ops.relu(self.conv10(h))  # [N, H''', W''', 8 * width]
        return x, x1, x2, x3, x4


def gram(x):
    """How often two features appear together, over all positions: [N, C, C], over
    the number of elements of an example.

    x: float32 [N, C, H, W] -> float32 [N, C, C].
    """
    _, C, H, W = ops.shape(x)
    return ops.einsum("abcd,aecd->abe", x, x) / (C * H * W)


class StyleLoss(keras.Model):
    """drawn: float32 [N, 3, 256, 256], image: float32 [N, 3, 256, 256], style:
    float32 [N, 3, 256, 256]
    -> loss: float32.
    """

    def __init__(
        self, width: int = 64, style_weight: int = 1, content_weight: int = 1
    ) -> None:
        super().__init__()
        self.content_weight = content_weight
        self.style_weight = style_weight
        self.see = Features(width)

    def call(self, drawn, image, style):
        x = ops.transpose(drawn, (0, 2, 3, 1))  # [N, 256, 256, 3]
        d1, d2, d3, d4, content = self.see(x)
        x = ops.transpose(style, (0, 2, 3, 1))  # [N, 256, 256, 3]
        s1, s2, s3, s4, _ = self.see(x)
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 256, 256, 3]
        _, _, _, _, wanted = self.see(x)
        x = ops.mean(ops.square(content - wanted))  # []
        loss = self.content_weight * x
        x = ops.transpose(d1, (0, 3, 1, 2))  # [N, width, 256, 256]
        h = ops.transpose(s1, (0, 3, 1, 2))  # [N, width, 256, 256]
        x = ops.square(gram(x) - gram(h))  # [N, width, width]
        loss = loss + self.style_weight * ops.mean(x)
        x = gram(ops.transpose(d2, (0, 3, 1, 2)))  # [N, 2 * width, 2 * width]
        x = x - gram(ops.transpose(s2, (0, 3, 1, 2)))
        x = ops.mean(ops.square(x))  # []
        loss = loss + self.style_weight * x
        x = ops.transpose(d3, (0, 3, 1, 2))  # [N, 4 * width, 64, 64]
        h = ops.transpose(s3, (0, 3, 1, 2))  # [N, 4 * width, 64, 64]
        x = ops.square(gram(x) - gram(h))  # [N, 4 * width, 4 * width]
        loss = loss + self.style_weight * ops.mean(x)
        x = ops.transpose(d4, (0, 3, 1, 2))  # [N, 8 * width, 32, 32]
        h = ops.transpose(s4, (0, 3, 1, 2))  # [N, 8 * width, 32, 32]
        x = ops.square(gram(x) - gram(h))  # [N, 8 * width, 8 * width]
        return loss + self.style_weight * ops.mean(x)

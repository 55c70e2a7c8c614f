"""YOLOv2: `found` are the `most` best boxes, with their scores and classes.

Printed by dlspec 0.1.0 from specs/vision/yolo.dls.
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


def reorg(x):
    """Half the side, four times the channels, as Darknet's layer `reorg` does it:
    not channels of each 2x2 pixels, but those of the numbers taken for [C / 4,
    2H, 2W]; and that result, [C, H, W], is taken for [4C, H / 2, W / 2].

    x: float32 [N, H, W, C] -> float32 [N, 4 * C, H // 2, W // 2].
    """
    _, H, W, C = ops.shape(x)
    x = ops.transpose(x, (0, 3, 1, 2))  # [N, C, H, W]
    x = ops.reshape(x, (-1, C // 4, 2 * H, 2 * W))  # [N, C // 4, 2 * H, 2 * W]
    x = ops.reshape(x, (-1, C // 4, H, 2, W, 2))  # [N, C // 4, H, 2, W, 2]
    x = ops.transpose(x, (0, 3, 5, 1, 2, 4))  # [N, 2, 2, C // 4, H, W]
    x = ops.reshape(x, (-1, 4 * (C // 4), H, W))  # [N, H', H, W]
    return ops.reshape(x, (-1, 4 * C, H // 2, W // 2))


def decode(raw, anchors: int | tuple[int, ...]):
    """Of each anchor in a cell, row by row: the box, in parts of the image; whether
    there is an object (before the sigmoid); and its class (before the softmax).

    raw: float32 [N, H, W, C]
    -> boxes: float32 [N, 5 * H * W, 4], object: float32 [N, 5 * H * W], kinds:
    float32 [N, 5 * H * W, D].
    """
    _, H, W, C = ops.shape(raw)
    x = ops.transpose(raw, (0, 3, 1, 2))  # [N, C, H, W]
    x = ops.reshape(x, (-1, 5, C // 5, H, W))  # [N, 5, C // 5, H, W]
    t = ops.transpose(x, (0, 1, 3, 4, 2))  # [N, 5, H, W, C // 5]
    x = ops.convert_to_tensor(anchors, dtype=keras.config.floatx())  # [5, 2]
    priors = x[:, None, None]  # [5, 1, 1, 2]
    x = ops.sigmoid(t[:, :, :, :, 0])  # [N, 5, H, W]
    x = ops.add(x, ops.arange(W, dtype="int64"))
    x = x / W
    h = ops.sigmoid(t[:, :, :, :, 1])  # [N, 5, H, W]
    z = ops.arange(H, dtype="int64")[:, None]  # [H, 1]
    h = ops.cast(h, keras.config.floatx()) + ops.cast(z, keras.config.floatx())
    y = h / H
    width = ops.exp(t[:, :, :, :, 2]) * priors[:, :, :, 0] / W  # [N, 5, H, W]
    height = ops.exp(t[:, :, :, :, 3]) * priors[:, :, :, 1] / H  # [N, 5, H, W]
    x = ops.stack([x, y, width, height], axis=4)  # [N, 5, H, W, 4]
    boxes = ops.reshape(x, (-1, 5 * H * W, 4))  # [N, 5 * H * W, 4]
    object_ = ops.reshape(t[:, :, :, :, 4], (-1, 5 * H * W))  # [N, 5 * H * W]
    kinds = ops.reshape(t[:, :, :, :, 5:], (-1, 5 * H * W, C // 5 - 5))
    return boxes, object_, kinds


def pick(x, index):
    """The slices of x along axis 1 that `index` names, M of each example.

    x: float32 [N, B, D], index: int64 [N, M] -> float32 [N, M, D].
    """
    N, _, D = ops.shape(x)
    M = ops.shape(index)[1]
    h = ops.broadcast_to(index[:, :, None], (N, M, D))  # [N, M, D]
    return ops.take_along_axis(x, h, axis=1)


def iou(a, b):
    """The area that two boxes share, over the area that they cover together.

    a: float32 [N, 845, 4], b: float32 [N, 1, 4] -> float32 [N, 845].
    """
    x = a[:, :, :2] - a[:, :, 2:] / 2  # [N, 845, 2]
    low = ops.maximum(x, b[:, :, :2] - b[:, :, 2:] / 2)
    x = a[:, :, :2] + a[:, :, 2:] / 2  # [N, 845, 2]
    high = ops.minimum(x, b[:, :, :2] + b[:, :, 2:] / 2)
    side = ops.relu(high - low)
    shared = side[:, :, 0] * side[:, :, 1]  # [N, 845]
    union = a[:, :, 2] * a[:, :, 3] + b[:, :, 2] * b[:, :, 3] - shared
    return shared / ops.where(union < 1e-9, 1e-9, union)


def nms(boxes, scores, most: int = 100):
    """Greedy non-maximum suppression in each class, `most` times: the best score
    left is kept, and the boxes that overlap its box by more than `overlap` lose
    their score. Where no score above `least` is left, it is 0.

    boxes: float32 [N, B, 4], scores: float32 [N, B, K]
    -> kept: float32 [N, most, 4], score: float32 [N, most], kind: int64 [N,
    most].
    """
    N = ops.shape(boxes)[0]
    left = ops.where(scores > 0.001, scores, 0.0)
    kept = ops.zeros((N, most, 4), dtype=keras.config.floatx())  # [N, most, 4]
    score = ops.zeros((N, most), dtype=keras.config.floatx())  # [N, most]
    kind = ops.zeros((N, most), dtype="int64")  # [N, most]
    _, B, K = ops.shape(left)
    for _ in range(most):
        flat = ops.reshape(left, (-1, B * K))  # [N, B * K]
        best = ops.cast(ops.argmax(flat, axis=1, keepdims=True), "int64")  # [N, 1]
        box = pick(boxes, ops.floor_divide(best, K))  # [N, 1, 4]
        kept = ops.concatenate([kept[:, 1:], box], axis=1)
        x = ops.take_along_axis(flat, best, axis=1)
        score = ops.concatenate([score[:, 1:], x], axis=1)
        kind = ops.concatenate([kind[:, 1:], ops.mod(best, K)], axis=1)
        x = iou(boxes, box)  # [N, B]
        h = ops.one_hot(ops.mod(best, K), K, dtype=keras.config.floatx())  # [N, 1, K]
        rival = ops.logical_and(x[:, :, None] > 0.45, h > 0)  # [N, B, K]
        left = ops.where(rival, 0.0, left)
    return kept, score, kind


class YOLOv2(keras.Model):
    """image: float32 [N, 3, 416, 416]
    -> raw: float32 [N, 425, 13, 13], found: float32 [N, most, 4], score: float32
    [N, most], kind: int64 [N, most].
    """

    def __init__(self, width: int = 32, most: int = 100) -> None:
        super().__init__()
        self.most = most
        self.darknet19_trunk = Darknet19Trunk(width=width)
        self.darknet_conv1 = DarknetConv(32 * width, 3)
        self.darknet_conv2 = DarknetConv(32 * width, 3)
        self.darknet_conv3 = DarknetConv(2 * width, 1)
        self.darknet_conv4 = DarknetConv(32 * width, 3)
        self.conv = layers.Conv2D(425, 1)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 416, 416, 3]
        x, fine = self.darknet19_trunk(x)
        x = self.darknet_conv1(x)
        x = self.darknet_conv2(x)
        h = self.darknet_conv3(fine)  # [N, 26, 26, 2 * width]
        past = reorg(h)  # [N, 8 * width, 13, 13]
        h = ops.transpose(past, (0, 2, 3, 1))  # [N, 13, 13, 8 * width]
        h = ops.concatenate([h, x], axis=3)  # [N, 13, 13, 40 * width]
        h = self.darknet_conv4(h)  # [N, 13, 13, 32 * width]
        raw = self.conv(h)  # [N, 13, 13, 425]
        boxes, object_, kinds = decode(
            raw,
            anchors=(
                (0.57273, 0.677385),
                (1.87446, 2.06253),
                (3.33843, 5.47434),
                (7.88282, 3.52778),
                (9.77052, 9.16828),
            ),
        )
        x = ops.sigmoid(object_)
        scores = x[:, :, None] * ops.softmax(kinds)
        found, score, kind = nms(boxes, scores, most=self.most)
        x = ops.transpose(raw, (0, 3, 1, 2))  # [N, 425, 13, 13]
        return x, found, score, kind

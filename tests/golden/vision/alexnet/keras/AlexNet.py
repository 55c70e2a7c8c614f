"""AlexNet.

Printed by dlspec 0.1.0 from specs/vision/alexnet.dls.
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


def normalize(x):
    """Brightness normalisation over five neighbouring channels; the operator divides
    alpha by five, the paper does not.

    x: float32 [N, H, W, C] -> float32 [N, H, W, C].
    """
    return local_response_norm(x, 5, alpha=0.0005, k=2.0)


class Dense(layers.Layer):
    """Three layers, each of which sees all of the one before it.

    x: float32 [N, D] -> float32 [N, classes].
    """

    def __init__(self, hidden: int, classes: int, dropout: float) -> None:
        super().__init__()
        self.dropout1 = layers.Dropout(dropout)
        self.linear1 = layers.Dense(hidden)
        self.dropout2 = layers.Dropout(dropout)
        self.linear2 = layers.Dense(hidden)
        self.linear3 = layers.Dense(classes)

    def call(self, x):
        x = ops.relu(self.linear1(self.dropout1(x)))  # [N, hidden]
        x = ops.relu(self.linear2(self.dropout2(x)))
        return self.linear3(x)


class AlexNet(keras.Model):
    """image: float32 [N, 3, 227, 227] -> logits: float32 [N, classes]."""

    def __init__(
        self, classes: int = 1000, hidden: int = 4096, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.conv1 = layers.Conv2D(96, 11, strides=4)
        self.pad = layers.ZeroPadding2D(2)
        self.conv2 = layers.Conv2D(256, 5, groups=2)
        self.pad2 = layers.ZeroPadding2D(1)
        self.conv3 = layers.Conv2D(384, 3)
        self.pad3 = layers.ZeroPadding2D(1)
        self.conv4 = layers.Conv2D(384, 3, groups=2)
        self.pad4 = layers.ZeroPadding2D(1)
        self.conv5 = layers.Conv2D(256, 3, groups=2)
        self.dense = Dense(hidden, classes, dropout)

    def call(self, image):
        x = ops.transpose(image, (0, 2, 3, 1))  # [N, 227, 227, 3]
        x = ops.relu(self.conv1(x))  # [N, 55, 55, 96]
        x = normalize(x)
        x = ops.max_pool(x, 3, strides=2)  # [N, 27, 27, 96]
        x = self.pad(x)  # [N, 31, 31, 96]
        x = ops.relu(self.conv2(x))  # [N, 27, 27, 256]
        x = normalize(x)
        x = ops.max_pool(x, 3, strides=2)  # [N, 13, 13, 256]
        x = self.pad2(x)  # [N, 15, 15, 256]
        x = ops.relu(self.conv3(x))  # [N, 13, 13, 384]
        x = self.pad3(x)  # [N, 15, 15, 384]
        x = ops.relu(self.conv4(x))  # [N, 13, 13, 384]
        x = self.pad4(x)  # [N, 15, 15, 384]
        x = ops.relu(self.conv5(x))  # [N, 13, 13, 256]
        x = ops.max_pool(x, 3, strides=2)  # [N, 6, 6, 256]
        x = ops.transpose(x, (0, 3, 1, 2))  # [N, 256, 6, 6]
        x = ops.reshape(x, (-1, 9216))  # [N, 9216]
        return self.dense(x)

"""Generator, Discriminator and Judge.

Printed by dlspec 0.1.0 from specs/training/gan.dls.
"""

import keras
from keras import layers, ops


class Generator(layers.Layer):
    """Noise to the 64 pixels of an image.

    z: float32 [N, 32] -> image: float32 [N, pixels].
    """

    def __init__(self, width: int = 256, pixels: int = 64) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(pixels)

    def call(self, z):
        x = self.linear1(z)  # [N, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.linear2(x)
        x = ops.where(x > 0.0, x, x * 0.2)
        return ops.tanh(self.linear3(x))


class Discriminator(layers.Layer):
    """An image to the log-odds that it is real.

    image: float32 [N, 64] -> real: float32 [N, 1].
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.dropout1 = layers.Dropout(0.3)
        self.linear2 = layers.Dense(width)
        self.dropout2 = layers.Dropout(0.3)
        self.linear3 = layers.Dense(1)

    def call(self, image):
        x = self.linear1(image)  # [N, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.linear2(self.dropout1(x))
        x = ops.where(x > 0.0, x, x * 0.2)
        return self.linear3(self.dropout2(x))


class Judge(keras.Model):
    """An image to its class.

    image: float32 [N, 64] -> logits: float32 [N, classes].
    """

    def __init__(self, width: int = 128, classes: int = 10) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(classes)

    def call(self, image):
        x = ops.relu(self.linear1(image))  # [N, width]
        return self.linear2(x)

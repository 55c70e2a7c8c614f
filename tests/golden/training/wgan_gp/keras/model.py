"""Generator, Critic and Judge.

Printed by dlspec 0.1.0 from specs/training/wgan_gp.dls.
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
        x = ops.relu(self.linear1(z))  # [N, width]
        x = ops.relu(self.linear2(x))
        return ops.tanh(self.linear3(x))


class Critic(layers.Layer):
    """An image to a number that is greater for real images; no normalisation, since
    the penalty is on each image alone.

    image: float32 [N, 64] -> score: float32 [N, 1].
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(1)

    def call(self, image):
        x = self.linear1(image)  # [N, width]
        x = ops.where(x > 0.0, x, x * 0.2)
        x = self.linear2(x)
        x = ops.where(x > 0.0, x, x * 0.2)
        return self.linear3(x)


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

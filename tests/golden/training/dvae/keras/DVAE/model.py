"""Encoder and Decoder.

Printed by dlspec 0.1.0 from specs/training/dvae.dls.
"""

import keras
from keras import layers, ops


class Encoder(layers.Layer):
    """The log-odds of the words at each place, [N, places, words].

    image: float32 [N, 64] -> float32 [N, 4, 16].
    """

    def __init__(self, width: int = 256) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(64)

    def call(self, image):
        x = ops.relu(self.linear1(image))  # [N, width]
        x = self.linear2(x)  # [N, 64]
        return ops.reshape(x, (-1, 4, 16))


class Decoder(keras.Model):
    """Words, or mixtures of them, to the log-odds of the pixels.

    chosen: float32 [N, 4, 16] -> float32 [N, 64].
    """

    def __init__(self, width: int = 256, dim: int = 16) -> None:
        super().__init__()
        self.dim = dim
        self.linear1 = layers.Dense(dim, use_bias=False)
        self.linear2 = layers.Dense(width)
        self.linear3 = layers.Dense(64)

    def call(self, chosen):
        x = self.linear1(chosen)  # [N, 4, dim]
        x = ops.reshape(x, (-1, 4 * self.dim))  # [N, 4 * dim]
        x = ops.relu(self.linear2(x))  # [N, width]
        return self.linear3(x)

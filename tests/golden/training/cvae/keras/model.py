"""CVAE: `drawn` is the image after a detour through its code; `wanted` is a new one,
of the same digit.

Printed by dlspec 0.1.0 from specs/training/cvae.dls.
"""

import keras
from keras import layers, ops


class Decoder(layers.Layer):
    """From a code and a digit to the log-odds of the pixels.

    z: float32 [N, 8], digit: float32 [N, 10] -> float32 [N, pixels].
    """

    def __init__(self, width: int, pixels: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(pixels)

    def call(self, z, digit):
        x = ops.concatenate([z, digit], axis=1)  # [N, 18]
        x = ops.relu(self.linear1(x))  # [N, width]
        return self.linear2(x)


def elbo(drawn, image, mean, log_var):
    """The lower bound of each image's log-likelihood, [N], in nats (equation 10; the
    divergence by its appendix B).

    drawn: float32 [N, 64], image: float32 [N, 64], mean: float32 [N, 8], log_var:
    float32 [N, 8]
    -> float32 [N].
    """
    x = ops.sum(ops.softplus(drawn) - drawn * image, axis=1)  # [N]
    likelihood = -x
    x = ops.sum(ops.square(mean) + ops.exp(log_var) - 1 - log_var, axis=1)  # [N]
    divergence = x / 2
    return likelihood - divergence


class CVAE(keras.Model):
    """image: float32 [N, pixels], label: int64 [N], noise: float32 [N, latent]
    -> bound: float32 [N], drawn: float32 [N, pixels], wanted: float32 [N,
    pixels].
    """

    def __init__(
        self, pixels: int = 64, width: int = 256, latent: int = 8, classes: int = 10
    ) -> None:
        super().__init__()
        self.classes = classes
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(latent)
        self.linear3 = layers.Dense(latent)
        self.decode = Decoder(width, pixels)

    def call(self, image, label, noise):
        digit = ops.one_hot(label, self.classes, dtype=keras.config.floatx())
        x = ops.concatenate([image, digit], axis=1)  # [N, classes + pixels]
        h = ops.relu(self.linear1(x))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        x = mean + ops.exp(log_var / 2) * noise
        drawn = self.decode(x, digit)  # [N, pixels]
        bound = elbo(drawn, image, mean, log_var)  # [N]
        wanted = ops.sigmoid(self.decode(noise, digit))  # [N, pixels]
        return bound, drawn, wanted

"""VAE.

Printed by dlspec 0.1.0 from specs/generative/vae.dls.
"""

import keras
from keras import layers, ops


class Encoder(layers.Layer):
    """An image to the distribution of its code: mean and logarithm of the variance.

    image: float32 [N, 784]
    -> mean: float32 [N, latent], log_var: float32 [N, latent].
    """

    def __init__(self, width: int, latent: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(latent)
        self.linear3 = layers.Dense(latent)

    def call(self, image):
        h = ops.relu(self.linear1(image))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        return mean, log_var


def reparameterize(mean, log_var, noise):
    """A normal distribution moved and stretched: z = mean + sigma * noise, sigma =
    exp(log_var / 2).

    mean: float32 [N, 20], log_var: float32 [N, 20], noise: float32 [N, 20]
    -> z: float32 [N, 20].
    """
    return mean + ops.exp(log_var / 2) * noise


class Decoder(layers.Layer):
    """A code to the log-odds of the pixels; `sigmoid` makes them grey values.

    z: float32 [N, 20] -> float32 [N, pixels].
    """

    def __init__(self, width: int, pixels: int) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(pixels)

    def call(self, z):
        x = ops.relu(self.linear1(z))  # [N, width]
        return self.linear2(x)


class VAE(keras.Model):
    """image: float32 [N, pixels], noise: float32 [N, latent]
    -> drawn: float32 [N, pixels], mean: float32 [N, latent], log_var: float32 [N,
    latent].
    """

    def __init__(self, pixels: int = 784, width: int = 400, latent: int = 20) -> None:
        super().__init__()
        self.encoder = Encoder(width, latent)
        self.decoder = Decoder(width, pixels)

    def call(self, image, noise):
        mean, log_var = self.encoder(image)
        z = reparameterize(mean, log_var, noise)
        drawn = self.decoder(z)  # [N, pixels]
        return drawn, mean, log_var

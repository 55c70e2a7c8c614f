"""VAE.

Printed by dlspec 0.1.0 from specs/generative/vae.dls.
"""

import keras
from keras import layers, ops


def reparameterize(mean, log_var, noise):
    """A normal distribution moved and stretched: z = mean + sigma * noise, sigma =
    exp(log_var / 2).

    mean: float32 [N, 20], log_var: float32 [N, 20], noise: float32 [N, 20]
    -> z: float32 [N, 20].
    """
    return mean + ops.exp(log_var / 2) * noise


class VAE(keras.Model):
    """image: float32 [N, pixels], noise: float32 [N, latent]
    -> drawn: float32 [N, pixels], mean: float32 [N, latent], log_var: float32 [N,
    latent].
    """

    def __init__(self, pixels: int = 784, width: int = 400, latent: int = 20) -> None:
        super().__init__()
        self.linear1 = layers.Dense(width)
        self.linear2 = layers.Dense(latent)
        self.linear3 = layers.Dense(latent)
        self.linear4 = layers.Dense(width)
        self.linear5 = layers.Dense(pixels)

    def call(self, image, noise):
        h = ops.relu(self.linear1(image))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        z = reparameterize(mean, log_var, noise)
        x = ops.relu(self.linear4(z))  # [N, width]
        drawn = self.linear5(x)  # [N, pixels]
        return drawn, mean, log_var

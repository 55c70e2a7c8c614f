"""VAE: 64-256-(8, 8), 8-256-64.

Printed by dlspec 0.1.0 from specs/training/vae.dls.
"""

import keras
from keras import layers, ops


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


class VAE(keras.Model):
    """image: float32 [N, pixels], noise: float32 [N, latent]
    -> bound: float32 [N], drawn: float32 [N, pixels].
    """

    def __init__(self, pixels: int = 64, width: int = 256, latent: int = 8) -> None:
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
        z = mean + ops.exp(log_var / 2) * noise
        x = ops.relu(self.linear4(z))  # [N, width]
        drawn = self.linear5(x)  # [N, pixels]
        bound = elbo(drawn, image, mean, log_var)  # [N]
        return bound, drawn

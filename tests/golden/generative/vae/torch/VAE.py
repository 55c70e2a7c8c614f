"""VAE.

Printed by dlspec 0.1.0 from specs/generative/vae.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Encoder(nn.Module):
    """An image to the distribution of its code: mean and logarithm of the variance.

    image: float32 [N, in_features]
    -> mean: float32 [N, latent], log_var: float32 [N, latent].
    """

    def __init__(self, in_features: int, width: int, latent: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, width)
        self.linear2 = nn.Linear(width, latent)
        self.linear3 = nn.Linear(width, latent)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.linear1(image))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        return mean, log_var


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A normal distribution moved and stretched: z = mean + sigma * noise, sigma =
    exp(log_var / 2).

    mean: float32 [N, 20], log_var: float32 [N, 20], noise: float32 [N, 20]
    -> z: float32 [N, 20].
    """
    return mean + torch.exp(log_var / 2) * noise


class Decoder(nn.Module):
    """A code to the log-odds of the pixels; `sigmoid` makes them grey values.

    z: float32 [N, in_features] -> float32 [N, pixels].
    """

    def __init__(self, in_features: int, width: int, pixels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, width)
        self.linear2 = nn.Linear(width, pixels)

    def forward(self, z: Tensor) -> Tensor:
        x = F.relu(self.linear1(z))  # [N, width]
        return self.linear2(x)


class VAE(nn.Module):
    """image: float32 [N, pixels], noise: float32 [N, latent]
    -> drawn: float32 [N, pixels], mean: float32 [N, latent], log_var: float32 [N,
    latent].
    """

    def __init__(self, pixels: int = 784, width: int = 400, latent: int = 20) -> None:
        super().__init__()
        self.encoder = Encoder(pixels, width, latent)
        self.decoder = Decoder(latent, width, pixels)

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_var = self.encoder(image)
        z = reparameterize(mean, log_var, noise)
        drawn = self.decoder(z)  # [N, pixels]
        return drawn, mean, log_var

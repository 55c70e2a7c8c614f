"""VAE.

Printed by dlspec 0.1.0 from specs/generative/vae.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def reparameterize(mean: Tensor, log_var: Tensor, noise: Tensor) -> Tensor:
    """A normal distribution moved and stretched: z = mean + sigma * noise, sigma =
    exp(log_var / 2).

    mean: float32 [N, 20], log_var: float32 [N, 20], noise: float32 [N, 20]
    -> z: float32 [N, 20].
    """
    return mean + torch.exp(log_var / 2) * noise


class VAE(nn.Module):
    """image: float32 [N, pixels], noise: float32 [N, latent]
    -> drawn: float32 [N, pixels], mean: float32 [N, latent], log_var: float32 [N,
    latent].
    """

    def __init__(self, pixels: int = 784, width: int = 400, latent: int = 20) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.linear2 = nn.Linear(width, latent)
        self.linear3 = nn.Linear(width, latent)
        self.linear4 = nn.Linear(latent, width)
        self.linear5 = nn.Linear(width, pixels)

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.relu(self.linear1(image))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        z = reparameterize(mean, log_var, noise)
        x = F.relu(self.linear4(z))  # [N, width]
        drawn = self.linear5(x)  # [N, pixels]
        return drawn, mean, log_var

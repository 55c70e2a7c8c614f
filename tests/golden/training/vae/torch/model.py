"""VAE: 64-256-(8, 8), 8-256-64.

Printed by dlspec 0.1.0 from specs/training/vae.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def elbo(drawn: Tensor, image: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """The lower bound of each image's log-likelihood, [N], in nats (equation 10; the
    divergence by its appendix B).

    drawn: float32 [N, 64], image: float32 [N, 64], mean: float32 [N, 8], log_var:
    float32 [N, 8]
    -> float32 [N].
    """
    x = F.binary_cross_entropy_with_logits(drawn, image, reduction="none")
    likelihood = -x.sum(dim=1)  # [N]
    x = mean.square() + torch.exp(log_var) - 1 - log_var
    divergence = x.sum(dim=1) / 2  # [N]
    return likelihood - divergence


class VAE(nn.Module):
    """image: float32 [N, pixels], noise: float32 [N, latent]
    -> bound: float32 [N], drawn: float32 [N, pixels].
    """

    def __init__(self, pixels: int = 64, width: int = 256, latent: int = 8) -> None:
        super().__init__()
        self.linear1 = nn.Linear(pixels, width)
        self.linear2 = nn.Linear(width, latent)
        self.linear3 = nn.Linear(width, latent)
        self.linear4 = nn.Linear(latent, width)
        self.linear5 = nn.Linear(width, pixels)

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        h = F.relu(self.linear1(image))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        z = mean + torch.exp(log_var / 2) * noise
        x = F.relu(self.linear4(z))  # [N, width]
        drawn = self.linear5(x)  # [N, pixels]
        bound = elbo(drawn, image, mean, log_var)  # [N]
        return bound, drawn

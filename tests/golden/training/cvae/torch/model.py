"""CVAE: `drawn` is the image after a detour through its code; `wanted` is a new one,
of the same digit.

Printed by dlspec 0.1.0 from specs/training/cvae.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Decoder(nn.Module):
    """From a code and a digit to the log-odds of the pixels.

    z: float32 [N, in_features], digit: float32 [N, digit_1_size]
    -> float32 [N, pixels].
    """

    def __init__(
        self, in_features: int, digit_1_size: int, width: int, pixels: int
    ) -> None:
        super().__init__()
        self.linear1 = nn.Linear(digit_1_size + in_features, width)
        self.linear2 = nn.Linear(width, pixels)

    def forward(self, z: Tensor, digit: Tensor) -> Tensor:
        x = torch.cat([z, digit], dim=1)  # [N, digit_1_size + in_features]
        x = F.relu(self.linear1(x))  # [N, width]
        return self.linear2(x)


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


class CVAE(nn.Module):
    """image: float32 [N, pixels], label: int64 [N], noise: float32 [N, latent]
    -> bound: float32 [N], drawn: float32 [N, pixels], wanted: float32 [N,
    pixels].
    """

    def __init__(
        self, pixels: int = 64, width: int = 256, latent: int = 8, classes: int = 10
    ) -> None:
        super().__init__()
        self.classes = classes
        self.linear1 = nn.Linear(classes + pixels, width)
        self.linear2 = nn.Linear(width, latent)
        self.linear3 = nn.Linear(width, latent)
        self.decode = Decoder(latent, classes, width, pixels)

    def forward(
        self, image: Tensor, label: Tensor, noise: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        digit = F.one_hot(label, self.classes).to(torch.float32)  # [N, classes]
        x = torch.cat([image, digit], dim=1)  # [N, classes + pixels]
        h = F.relu(self.linear1(x))  # [N, width]
        mean = self.linear2(h)  # [N, latent]
        log_var = self.linear3(h)  # [N, latent]
        x = mean + torch.exp(log_var / 2) * noise
        drawn = self.decode(x, digit)  # [N, pixels]
        bound = elbo(drawn, image, mean, log_var)  # [N]
        wanted = torch.sigmoid(self.decode(noise, digit))  # [N, pixels]
        return bound, drawn, wanted

"""CapsNet: the decoder is told the label: in training, and where the reconstruction is
measured.

Printed by dlspec 0.1.0 from specs/training/capsnet.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def squash(x: Tensor, axis: int) -> Tensor:
    """Shrinks a vector to a length below 1 and keeps its direction (equation 1).

    x: float32 [N, T, D] -> float32 [N, T, D].
    """
    h = x.square()
    length = h.sum(dim=axis, keepdim=True)  # [N, T, 1]
    return x * length / ((1 + length) * torch.sqrt(length + 1e-8))


class Capsules(nn.Module):
    """What each capsule below votes for each of `count` capsules above, and how the
    votes agree (procedure 1).

    u: float32 [N, i, d_size] -> v: float32 [N, count, dim].
    """

    def __init__(
        self, i: int, d_size: int, count: int, dim: int, routings: int
    ) -> None:
        super().__init__()
        self.count = count
        self.dim = dim
        self.routings = routings
        self.weight = nn.Parameter(
            torch.empty(i, count, dim, d_size).normal_(0.0, 0.01)
        )

    def forward(self, u: Tensor) -> Tensor:
        N, I = u.shape[:2]
        votes = torch.einsum("abc,bdec->abde", u, self.weight)  # [N, i, count, dim]
        logits = torch.zeros((N, I, self.count), dtype=torch.float32, device=u.device)
        v = torch.zeros((N, self.count, self.dim), dtype=torch.float32, device=u.device)
        for _ in range(self.routings):
            x = torch.einsum("abc,abcd->acd", F.softmax(logits, dim=-1), votes)
            v = squash(x, axis=-1)
            logits = logits + torch.einsum("abcd,acd->abc", votes, v)
        return v


class Decoder(nn.Module):
    """Draws the image from the capsule of one class; the others are masked.

    capsules: float32 [N, k, dim], shown: int64 [N] -> float32 [N, pixels].
    """

    def __init__(self, k: int, dim: int, pixels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(dim * k, 128)
        self.linear2 = nn.Linear(128, 128)
        self.linear3 = nn.Linear(128, pixels)

    def forward(self, capsules: Tensor, shown: Tensor) -> Tensor:
        K = capsules.shape[1]
        x = F.one_hot(shown, K).to(torch.float32)  # [N, k]
        x = capsules * x[:, :, None]
        x = x.flatten(1)  # [N, dim * k]
        x = F.relu(self.linear1(x))  # [N, 128]
        x = F.relu(self.linear2(x))
        return torch.sigmoid(self.linear3(x))


class CapsNet(nn.Module):
    """image: float32 [N, 1, 8, 8], label: int64 [N]
    -> lengths: float32 [N, 10], reconstruction: float32 [N, 64].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 3)
        self.conv2 = nn.Conv2d(64, 64, 3, stride=2)
        self.capsules = Capsules(32, 8, count=10, dim=16, routings=3)
        self.decoder = Decoder(10, 16, pixels=64)

    def forward(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.conv1(image))  # [N, 64, 6, 6]
        x = self.conv2(x)  # [N, 64, 2, 2]
        x = x.reshape(-1, 8, 8, 2, 2).permute(0, 1, 3, 4, 2)  # [N, 8, 2, 2, 8]
        x = x.reshape(-1, 32, 8)  # [N, 32, 8]
        u = squash(x, axis=-1)
        capsules = self.capsules(u)  # [N, 10, 16]
        lengths = torch.linalg.vector_norm(capsules, dim=2)  # [N, 10]
        reconstruction = self.decoder(capsules, label)  # [N, 64]
        return lengths, reconstruction

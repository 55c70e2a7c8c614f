"""CapsNet: `lengths` are how sure the network is of each class. It draws the class
that it is told in training (`told = true` asks for it), or that it takes for the
most likely.

Printed by dlspec 0.1.0 from specs/vision/capsnet.dls.
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


class PrimaryCapsules(nn.Module):
    """Convolutional capsules: a vector of `dim` numbers at each place of each of
    `types` maps.

    x: float32 [N, in_channels, H, W] -> float32 [N, T, dim].
    """

    def __init__(self, in_channels: int, types: int, dim: int) -> None:
        super().__init__()
        self.types = types
        self.dim = dim
        self.conv = nn.Conv2d(in_channels, dim * types, 9, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        _, _, H, W = x.shape
        x = self.conv(x)  # [N, dim * types, H', W']
        x = x.reshape(-1, self.types, self.dim, (H + 1) // 2 - 4, (W + 1) // 2 - 4)
        x = x.permute(0, 1, 3, 4, 2).reshape(-1, 1152, self.dim)  # [N, T, dim]
        return squash(x, axis=-1)


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
        self.linear1 = nn.Linear(dim * k, 512)
        self.linear2 = nn.Linear(512, 1024)
        self.linear3 = nn.Linear(1024, pixels)

    def forward(self, capsules: Tensor, shown: Tensor) -> Tensor:
        K = capsules.shape[1]
        x = F.one_hot(shown, K).to(torch.float32)  # [N, k]
        x = capsules * x[:, :, None]
        x = x.flatten(1)  # [N, dim * k]
        x = F.relu(self.linear1(x))  # [N, 512]
        x = F.relu(self.linear2(x))  # [N, 1024]
        return torch.sigmoid(self.linear3(x))


class CapsNet(nn.Module):
    """image: float32 [N, 1, 28, 28]
    -> lengths: float32 [N, 10], reconstruction: float32 [N, 784].
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 256, 9)
        self.primary_capsules = PrimaryCapsules(256, 32, dim=8)
        self.capsules = Capsules(1152, 8, count=10, dim=16, routings=3)
        self.decoder = Decoder(10, 16, pixels=784)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu(self.conv(image))  # [N, 256, 20, 20]
        x = self.primary_capsules(x)  # [N, 1152, 8]
        capsules = self.capsules(x)  # [N, 10, 16]
        lengths = torch.linalg.vector_norm(capsules, dim=2)  # [N, 10]
        shown = lengths.argmax(dim=1)  # [N]
        reconstruction = self.decoder(capsules, shown)  # [N, 784]
        return lengths, reconstruction

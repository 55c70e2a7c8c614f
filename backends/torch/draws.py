"""Random numbers by counting: functions of stream, seed, step and element.

The same on every machine and for both frameworks, and no draw moves another.
"""

import math
from collections import Counter
from collections.abc import Sequence
from zlib import crc32

import torch
from torch import Tensor, nn

seed = 0
step = 0
drawn: Counter[str] = Counter()  # how often from each stream in this step


def next_step() -> None:
    """Begin a training step: new numbers."""
    global step
    step += 1
    drawn.clear()


def same_step() -> None:
    """Draw the numbers of this step from the start."""
    drawn.clear()


def mixed(x: Tensor) -> Tensor:
    """32-bit integers, each mixed as MurmurHash3 ends (Appleby 2008)."""
    x = (x ^ x >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    x = (x ^ x >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return x ^ x >> 16


def counted(
    shape: Sequence[int], stream: str, device: torch.device | None = None
) -> Tensor:
    """Numbers in (0, 1): 23 bits and a half, which are exact in f32."""
    drawn[stream] += 1
    key = crc32(f"{seed} {drawn[stream]} {stream}".encode())
    turn = mixed(torch.tensor(step ^ key, device=device))
    element = torch.arange(math.prod(shape), device=device)
    bits = mixed(mixed(element ^ turn) + mixed(turn) & 0xFFFFFFFF)
    return ((bits >> 9).double() + 0.5).mul(2**-23).reshape(*shape)


def uniform(
    shape: Sequence[int],
    stream: str,
    low: float = 0.0,
    high: float = 1.0,
    dtype: torch.dtype | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """Numbers spread evenly over (low, high)."""
    u = counted(shape, stream, device)
    return (low + (high - low) * u).to(dtype or torch.get_default_dtype())


def normal(
    shape: Sequence[int],
    stream: str,
    mean: float = 0.0,
    std: float = 1.0,
    dtype: torch.dtype | None = None,
    device: torch.device | None = None,
) -> Tensor:
    """Normal numbers (Box and Muller 1958)."""
    u, v = (counted(shape, f"{stream} {part}", device) for part in "uv")
    z = (-2 * u.log()).sqrt() * (2 * math.pi * v).cos()
    return (mean + std * z).to(dtype or torch.get_default_dtype())


class Dropout(nn.Module):
    """Dropout with the mask of a stream."""

    def __init__(self, p: float, stream: str) -> None:
        super().__init__()
        self.p, self.stream = p, stream

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        keep = counted(x.shape, self.stream, x.device) < 1 - self.p
        return torch.where(keep, x / (1 - self.p), 0)

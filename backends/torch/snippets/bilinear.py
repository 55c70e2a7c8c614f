import torch
from torch import Tensor


def bilinear_(weight: Tensor) -> Tensor:
    """Fill a convolution's kernel with the interpolation of each channel by itself."""
    window = torch.ones(())
    for length in weight.shape[2:]:
        distance = (torch.arange(length) - (length - 1) / 2).abs()
        window = window[..., None] * (1 - distance / ((length + 1) // 2))
    channels = torch.arange(min(weight.shape[:2]))
    with torch.no_grad():
        weight.zero_()[channels, channels] = window
    return weight

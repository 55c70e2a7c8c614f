from typing import Any

import torch
from torch import Tensor


class ReverseGradient(torch.autograd.Function):
    """x on the way forward; -scale times the gradient on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradient, None

import torch
from torch import nn


@torch.no_grad()
def follow(target: nn.Module, source: nn.Module, rate: float) -> None:
    """Move the weights of a model part of the way to those of another."""
    goals = source.state_dict()
    for name, weight in target.state_dict().items():
        if weight.is_floating_point():
            weight.lerp_(goals[name], rate)

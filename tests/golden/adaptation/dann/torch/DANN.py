"""DANN: `strength` is the paper's lambda, by which the reversed gradient is
multiplied.

Printed by dlspec 0.1.0 from specs/adaptation/dann.dls.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ReverseGradient(torch.autograd.Function):
    """x on the way forward; -scale times the gradient on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradient, None


class Features(nn.Module):
    """Conv32-5 - pool - Conv48-5 - pool: [N, 3, 28, 28] to [N, 768].

    image: float32 [N, in_channels, H, W] -> float32 [N, D].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 32, 5)
        self.conv2 = nn.Conv2d(32, 48, 5)

    def forward(self, image: Tensor) -> Tensor:
        x = F.relu(self.conv1(image))  # [N, 32, H - 4, W - 4]
        x = F.max_pool2d(x, 2)  # [N, 32, H', W']
        x = F.relu(self.conv2(x))  # [N, 48, H'', W'']
        x = F.max_pool2d(x, 2)  # [N, 48, H''', W''']
        return x.flatten(1)


class LabelPredictor(nn.Module):
    """From features to the digit.

    features: float32 [N, in_features] -> float32 [N, classes].
    """

    def __init__(self, in_features: int, classes: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, 100)
        self.linear2 = nn.Linear(100, 100)
        self.linear3 = nn.Linear(100, classes)

    def forward(self, features: Tensor) -> Tensor:
        x = F.relu(self.linear1(features))  # [N, 100]
        x = F.relu(self.linear2(x))
        return self.linear3(x)


class DomainClassifier(nn.Module):
    """From features to the log-odds of the target domain.

    features: float32 [N, in_features] -> float32 [N, 1].
    """

    def __init__(self, in_features: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(in_features, 100)
        self.linear2 = nn.Linear(100, 1)

    def forward(self, features: Tensor) -> Tensor:
        x = F.relu(self.linear1(features))  # [N, 100]
        return self.linear2(x)


class DANN(nn.Module):
    """image: float32 [N, 3, 28, 28]
    -> label: float32 [N, classes], domain: float32 [N, 1].
    """

    def __init__(self, classes: int = 10, strength: float = 1.0) -> None:
        super().__init__()
        self.strength = strength
        self.features = Features(3)
        self.label_predictor = LabelPredictor(768, classes)
        self.domain_classifier = DomainClassifier(768)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(image)  # [N, 768]
        label = self.label_predictor(features)  # [N, classes]
        x = ReverseGradient.apply(features, self.strength)
        domain = self.domain_classifier(x)  # [N, 1]
        return label, domain

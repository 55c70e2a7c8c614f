"""LeNet5.

Printed by dlspec 0.1.0 from specs/vision/lenet.dls.
"""

import torch
from torch import Tensor, nn


def squash(a: Tensor) -> Tensor:
    """A tangent whose value at 1 is 1, and at -1 is -1 (appendix A).

    a: float32 [N, C, H, W] -> float32 [N, C, H, W].
    """
    return 1.7159 * torch.tanh(0.6666666666666666 * a)


def squash2(a: Tensor) -> Tensor:
    """A tangent whose value at 1 is 1, and at -1 is -1 (appendix A).

    a: float32 [N, 84] -> float32 [N, 84].
    """
    return 1.7159 * torch.tanh(0.6666666666666666 * a)


class Convolution(nn.Module):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, in_channels, H, W] -> float32 [N, maps, H - 4, W - 4].
    """

    def __init__(self, in_channels: int, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, maps, 5, groups=groups)
        nn.init.uniform_(self.conv.weight, -0.096, 0.096)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [N, maps, H - 4, W - 4]
        return squash(x)


class Convolution2(nn.Module):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, in_channels, H, W] -> float32 [N, maps, H - 4, W - 4].
    """

    def __init__(self, in_channels: int, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, maps, 5, groups=groups)
        nn.init.uniform_(self.conv.weight, -0.032, 0.032)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [N, maps, H - 4, W - 4]
        return squash(x)


class Convolution3(nn.Module):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, in_channels, H, W] -> float32 [N, maps, H - 4, W - 4].
    """

    def __init__(self, in_channels: int, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, maps, 5, groups=groups)
        nn.init.uniform_(self.conv.weight, -0.024, 0.024)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [N, maps, H - 4, W - 4]
        return squash(x)


class Convolution4(nn.Module):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, in_channels, H, W] -> float32 [N, maps, H - 4, W - 4].
    """

    def __init__(self, in_channels: int, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, maps, 5, groups=groups)
        nn.init.uniform_(self.conv.weight, -0.016, 0.016)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [N, maps, H - 4, W - 4]
        return squash(x)


class Convolution5(nn.Module):
    """Maps of which each unit sees 5 by 5 units of all maps below, or with groups of
    its share of them.

    x: float32 [N, in_channels, H, W] -> float32 [N, maps, H - 4, W - 4].
    """

    def __init__(self, in_channels: int, maps: int, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, maps, 5, groups=groups)
        nn.init.uniform_(self.conv.weight, -0.006, 0.006)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)  # [N, maps, H - 4, W - 4]
        return squash(x)


class Subsampling(nn.Module):
    """Half the resolution: the sum of 2 by 2 units, times a coefficient, plus a
    bias, both of the map.

    x: float32 [N, in_channels, H, W] -> float32 [N, in_channels, H // 2, W // 2].
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(
            torch.empty(in_channels, 1, 1).uniform_(-0.6, 0.6)
        )
        self.bias = nn.Parameter(torch.empty(in_channels, 1, 1).uniform_(-0.6, 0.6))

    def forward(self, x: Tensor) -> Tensor:
        _, C, H, W = x.shape
        x = x.reshape(-1, C, H // 2, 2, W // 2, 2).sum(dim=(3, 5))
        x = x * self.coefficient + self.bias
        return squash(x)


class PartialConvolution(nn.Module):
    """A convolution whose maps see only some of the maps below: those that see as
    many are a convolution in groups.

    x: float32 [N, C, H, W] -> float32 [N, 16, H - 4, W - 4].
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolution1 = Convolution2(18, 6, groups=6)
        self.convolution2 = Convolution3(24, 6, groups=6)
        self.convolution3 = Convolution3(12, 3, groups=3)
        self.convolution4 = Convolution4(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = x[:, [0, 1, 2, 1, 2, 3, 2, 3, 4, 3, 4, 5, 0, 4, 5, 0, 1, 5]]
        y = x[
            :, [0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 0, 3, 4, 5, 0, 1, 4, 5, 0, 1, 2, 5]
        ]
        z = x[:, [0, 1, 3, 4, 1, 2, 4, 5, 0, 2, 3, 5]]  # [N, 12, H, W]
        h = self.convolution1(h)  # [N, 6, H - 4, W - 4]
        y = self.convolution2(y)  # [N, 6, H - 4, W - 4]
        z = self.convolution3(z)  # [N, 3, H - 4, W - 4]
        x = self.convolution4(x[:, [0, 1, 2, 3, 4, 5]])  # [N, 1, H - 4, W - 4]
        return torch.cat([h, y, z, x], dim=1)


class RBF(nn.Module):
    """Squared distances to the pictures of the digits: the smallest is the answer.

    x: float32 [N, 84] -> float32 [N, 10].
    """

    def __init__(self) -> None:
        super().__init__()
        self.constant = nn.Buffer(
            torch.tensor(
                [
                    [62, 0, 28, 54, 99, 99, 99, 99, 54, 28, 0, 0],
                    [12, 28, 60, 12, 12, 12, 12, 12, 12, 63, 0, 0],
                    [62, 0, 62, 99, 67, 6, 28, 48, 96, 127, 0, 0],
                    [127, 3, 6, 12, 30, 3, 3, 3, 99, 62, 0, 0],
                    [62, 0, 0, 51, 51, 115, 99, 99, 103, 63, 3, 3],
                    [62, 0, 127, 96, 96, 60, 30, 3, 99, 62, 0, 0],
                    [30, 48, 96, 96, 126, 115, 99, 99, 115, 62, 0, 0],
                    [127, 3, 3, 6, 12, 12, 24, 24, 24, 24, 0, 0],
                    [62, 99, 99, 99, 62, 99, 99, 99, 99, 62, 0, 0],
                    [62, 103, 99, 99, 103, 63, 3, 3, 6, 60, 0, 0],
                ],
                dtype=torch.float32,
            ),
            persistent=False,
        )
        self.constant2 = nn.Buffer(
            torch.tensor([64, 32, 16, 8, 4, 2, 1], dtype=torch.float32),
            persistent=False,
        )

    def forward(self, x: Tensor) -> Tensor:
        bits = self.constant[:, :, None] // self.constant2 % 2  # [10, 12, 7]
        bitmaps = (2 * bits - 1).flatten(1)  # [10, 84]
        x = (x[:, None] - bitmaps).square()  # [N, 10, 84]
        return x.sum(dim=2)


class LeNet5(nn.Module):
    """image: float32 [N, 1, 32, 32] -> penalties: float32 [N, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.C1 = Convolution(1, 6)
        self.S2 = Subsampling(6)
        self.C3 = PartialConvolution()
        self.S4 = Subsampling(16)
        self.C5 = Convolution5(16, 120)
        self.F6 = nn.Linear(120, 84)
        nn.init.uniform_(self.F6.weight, -0.02, 0.02)
        self.rbf = RBF()

    def forward(self, image: Tensor) -> Tensor:
        x = self.C1(image)  # [N, 6, 28, 28]
        x = self.S2(x)  # [N, 6, 14, 14]
        x = self.C3(x)  # [N, 16, 10, 10]
        x = self.S4(x)  # [N, 16, 5, 5]
        x = self.C5(x)  # [N, 120, 1, 1]
        x = x.flatten(1)  # [N, 120]
        x = self.F6(x)  # [N, 84]
        x = squash2(x)
        return self.rbf(x)

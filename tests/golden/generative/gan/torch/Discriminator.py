"""Discriminator: an image to the log-odds that it is real: two layers of 240 maxout
units with five pieces each.

Printed by dlspec 0.1.0 from specs/generative/gan.dls.
"""

from torch import Tensor, nn


class Maxout(nn.Module):
    """[N, D] -> [N, units]; the pieces of a unit lie beside each other in the
    weight.

    x: float32 [N, dim] -> float32 [N, units].
    """

    def __init__(self, dim: int, units: int, pieces: int = 5) -> None:
        super().__init__()
        self.units = units
        self.pieces = pieces
        self.linear = nn.Linear(dim, pieces * units)

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear(x)  # [N, pieces * units]
        return x.reshape(-1, self.units, self.pieces).amax(dim=2)


class Discriminator(nn.Module):
    """image: float32 [N, pixels] -> real: float32 [N, 1]."""

    def __init__(self, width: int = 240, pieces: int = 5, pixels: int = 784) -> None:
        super().__init__()
        self.dropout1 = nn.Dropout(0.2)
        self.maxout1 = Maxout(pixels, width, pieces=pieces)
        self.dropout2 = nn.Dropout(0.5)
        self.maxout2 = Maxout(width, width, pieces=pieces)
        self.dropout3 = nn.Dropout(0.5)
        self.linear = nn.Linear(width, 1)

    def forward(self, image: Tensor) -> Tensor:
        x = self.dropout2(self.maxout1(self.dropout1(image)))  # [N, width]
        x = self.dropout3(self.maxout2(x))
        return self.linear(x)

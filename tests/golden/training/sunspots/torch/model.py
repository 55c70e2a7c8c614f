"""Forecaster.

Printed by dlspec 0.1.0 from specs/training/sunspots.dls.
"""

from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class Forecaster(nn.Module):
    """SUNACTIVITY: float32 [N, 24] -> next: float32 [N, 1]."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.lstm = one_bias(nn.LSTM(1, width, batch_first=True))
        self.linear = nn.Linear(width, 1)

    def forward(self, SUNACTIVITY: Tensor) -> Tensor:
        x = SUNACTIVITY.unsqueeze(2)  # [N, 24, 1]
        states = self.lstm(x)[0]  # [N, 24, width]
        x = states[:, 23]  # [N, width]
        return self.linear(x)

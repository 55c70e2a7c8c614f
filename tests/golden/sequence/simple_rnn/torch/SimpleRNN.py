"""SimpleRNN.

Printed by dlspec 0.1.0 from specs/sequence/simple_rnn.dls.
"""

from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class SimpleRNN(nn.Module):
    """sequence: float32 [N, T, features] -> logits: float32 [N, classes]."""

    def __init__(self, features: int = 28, hidden: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.rnn = one_bias(
            nn.RNN(features, hidden, nonlinearity="relu", batch_first=True)
        )
        self.linear = nn.Linear(hidden, classes)

    def forward(self, sequence: Tensor) -> Tensor:
        x = self.rnn(sequence)[1][-1]  # [N, hidden]
        return self.linear(x)

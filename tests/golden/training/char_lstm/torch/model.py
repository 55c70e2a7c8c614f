"""CharLSTM.

Printed by dlspec 0.1.0 from specs/training/char_lstm.dls.
"""

from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class CharLSTM(nn.Module):
    """text: int64 [N, T] -> logits: float32 [N, T, symbols]."""

    def __init__(self, symbols: int = 104, width: int = 128, layers: int = 2) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        self.lstm = one_bias(nn.LSTM(width, width, num_layers=layers, batch_first=True))
        self.linear = nn.Linear(width, symbols)

    def forward(self, text: Tensor) -> Tensor:
        x = self.embedding(text)  # [N, T, width]
        x = self.lstm(x)[0]
        return self.linear(x)

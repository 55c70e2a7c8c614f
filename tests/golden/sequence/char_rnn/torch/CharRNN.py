"""CharRNN.

Printed by dlspec 0.1.0 from specs/sequence/char_rnn.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CharRNN(nn.Module):
    """text: int64 [N, T], h0: float32 [layers, N, width], c0: float32 [layers, N,
    width]
    -> logits: float32 [N, T, symbols], h: float32 [layers, N, width], c: float32
    [layers, N, width].
    """

    def __init__(self, symbols: int = 65, width: int = 128, layers: int = 2) -> None:
        super().__init__()
        self.symbols = symbols
        self.lstm = nn.LSTM(symbols, width, num_layers=layers, batch_first=True)
        self.linear = nn.Linear(width, symbols)

    def forward(
        self, text: Tensor, h0: Tensor, c0: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        x = F.one_hot(text, self.symbols).to(torch.float32)  # [N, T, symbols]
        x, (h, c) = self.lstm(x, (h0, c0))
        logits = self.linear(x)  # [N, T, symbols]
        return logits, h, c

"""Decoder.

Printed by dlspec 0.1.0 from specs/multimodal/show_and_tell.dls.
"""

import torch
from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class Decoder(nn.Module):
    """image: float32 [N, features], caption: int64 [N, T]
    -> logits: float32 [N, T, words].
    """

    def __init__(
        self,
        words: int = 12000,
        width: int = 512,
        features: int = 2048,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.see = nn.Linear(features, width, bias=False)
        nn.init.uniform_(self.see.weight, -0.08, 0.08)
        self.embed = nn.Embedding(words, width)
        nn.init.uniform_(self.embed.weight, -0.08, 0.08)
        self.dropout1 = nn.Dropout(dropout)
        self.lstm = one_bias(nn.LSTM(width, width, batch_first=True))
        self.dropout2 = nn.Dropout(dropout)
        self.linear = nn.Linear(width, words)
        nn.init.uniform_(self.linear.weight, -0.08, 0.08)
        nn.init.zeros_(self.linear.bias)

    def forward(self, image: Tensor, caption: Tensor) -> Tensor:
        x = self.see(image)  # [N, width]
        y = self.embed(caption)  # [N, T, width]
        x = torch.cat([x[:, None], y], dim=1)  # [N, T + 1, width]
        h = self.dropout2(self.lstm(self.dropout1(x))[0])
        x = h[:, 1:]  # [N, T, width]
        return self.linear(x)

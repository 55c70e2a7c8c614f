"""Spotter.

Printed by dlspec 0.1.0 from specs/training/buckets.dls.
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


def backwards(x: Tensor, lengths: Tensor) -> Tensor:
    """Each sequence backwards, its padding where it was. x: [N, T, D].

    x: float32 [N, T, D], lengths: int64 [N] -> float32 [N, T, D].
    """
    N, T, D = x.shape
    place = torch.arange(T, device=x.device)  # [T]
    h = lengths[:, None] - 1 - place  # [N, T]
    from_ = torch.where(place < lengths[:, None], h, place)
    h = from_[:, :, None].expand(N, T, D)  # [N, T, D]
    return torch.gather(x, 1, h)


class MaskedBLSTM(nn.Module):
    """Two LSTMs, one for each direction, that never see padding before speech: [N,
    T, 2 hidden].

    x: float32 [N, T, dim], lengths: int64 [N] -> float32 [N, T, 2 * hidden].
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.lstm1 = one_bias(nn.LSTM(dim, hidden, batch_first=True))
        self.lstm2 = one_bias(nn.LSTM(dim, hidden, batch_first=True))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        ahead = self.lstm1(x)[0]  # [N, T, hidden]
        x = backwards(x, lengths)
        behind = self.lstm2(x)[0]  # [N, T, hidden]
        x = backwards(behind, lengths)
        return torch.cat([ahead, x], dim=2)


class Spotter(nn.Module):
    """speech: float32 [N, T, features], frames: int64 [N]
    -> logits: float32 [N, 10].
    """

    def __init__(self, features: int = 12, hidden: int = 48) -> None:
        super().__init__()
        self.masked_blstm = MaskedBLSTM(features, hidden)
        self.linear = nn.Linear(2 * hidden, 10)

    def forward(self, speech: Tensor, frames: Tensor) -> Tensor:
        T = speech.shape[1]
        heard = self.masked_blstm(speech, frames)  # [N, T, 2 * hidden]
        speaking = torch.arange(T, device=speech.device) < frames[:, None]  # [N, T]
        x = torch.where(speaking[:, :, None], heard, -1.0)
        loudest = x.amax(dim=1)  # [N, 2 * hidden]
        return self.linear(loudest)

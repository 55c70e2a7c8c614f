"""Listener.

Printed by dlspec 0.1.0 from specs/training/ctc.dls.
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


def greedy_decode(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Greedy decoding: the likeliest symbol of each step, and whether it counts:
    repeats and blanks do not.

    scores: float32 [N, T, C] -> symbol: int64 [N, T], counts: bool [N, T].
    """
    T = scores.shape[1]
    symbol = scores.argmax(dim=2)  # [N, T]
    x = symbol[:, 1:] == symbol[:, : T - 1]  # [N, T - 1]
    repeated = torch.cat([symbol[:, :1] == -1, x], dim=1)
    counts = (symbol != 0) & ~repeated
    return symbol, counts


def within(lengths: Tensor, T: int) -> Tensor:
    """Which of the T steps of each sequence are no padding: [N, T], for lengths [N].

    lengths: int64 [N] -> bool [N, T].
    """
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def transcript(scores: Tensor, steps: Tensor, most: int) -> Tensor:
    """What greedy decoding reads in each sequence, then zeros, class 0 being the
    blank: [N, most]. scores: [N, T, C].

    scores: float32 [N, T, C], steps: int64 [N] -> int64 [N, most].
    """
    T = scores.shape[1]
    symbol, counts = greedy_decode(scores)
    read = counts & within(steps, T=T)
    place = read.to(torch.int64).cumsum(dim=1) - 1
    x = place[:, :, None] == torch.arange(most, device=scores.device)
    here = read[:, :, None] & x
    x = torch.where(here, symbol[:, :, None], 0)
    return x.sum(dim=1)


class Listener(nn.Module):
    """speech: float32 [N, 56, features], frames: int64 [N]
    -> logits: float32 [N, 56, digits + 1], heard: int64 [N, 4].
    """

    def __init__(self, features: int = 12, hidden: int = 48, digits: int = 10) -> None:
        super().__init__()
        self.masked_blstm = MaskedBLSTM(features, hidden)
        self.linear = nn.Linear(2 * hidden, digits + 1)

    def forward(self, speech: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        x = self.masked_blstm(speech, frames)  # [N, 56, 2 * hidden]
        logits = self.linear(x)  # [N, 56, digits + 1]
        heard = transcript(logits, frames, most=4) - 1  # [N, 4]
        return logits, heard

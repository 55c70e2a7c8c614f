"""SpeechCTC.

Printed by dlspec 0.1.0 from specs/sequence/blstm_ctc.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class PeepholeLSTM(nn.LSTM):
    """An LSTM whose gates also see the cell (Gers and Schmidhuber 2000)."""

    def __init__(self, input_size: int, hidden_size: int, **options) -> None:
        super().__init__(input_size, hidden_size, **options)
        ways = ["", "_reverse"] if self.bidirectional else [""]
        self.order = [[f"_l{n}{way}" for way in ways] for n in range(self.num_layers)]
        for suffix in (name for names in self.order for name in names):
            bound = hidden_size**-0.5
            peephole = nn.Parameter(
                torch.empty(3 * hidden_size).uniform_(-bound, bound)
            )
            self.register_parameter(f"peephole{suffix}", peephole)

    def forward(self, x: Tensor, states: tuple[Tensor, Tensor] | None = None):
        zeros = x.new_zeros(len(x), self.hidden_size)
        finals = []
        for suffixes in self.order:
            outputs = []
            for suffix in suffixes:
                h, c = (
                    (zeros, zeros)
                    if states is None
                    else [s[len(finals)] for s in states]
                )
                y, h, c = self.read(x, h, c, suffix)
                outputs.append(y)
                finals.append((h, c))
            x = torch.cat(outputs, dim=2)
        h, c = (torch.stack(parts) for parts in zip(*finals, strict=True))
        return x, (h, c)

    def read(self, x: Tensor, h: Tensor, c: Tensor, suffix: str):
        """One layer in one direction: every state, and the last."""
        names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "peephole"]
        w_x, w_h, b_x, b_h, peephole = (getattr(self, n + suffix, None) for n in names)
        to_i, to_f, to_o = peephole.chunk(3)
        steps = F.linear(x, w_x, b_x).unbind(1)
        backwards = suffix.endswith("_reverse")
        every = []
        for step in reversed(steps) if backwards else steps:
            i, f, g, o = (step + F.linear(h, w_h, b_h)).chunk(4, dim=1)
            kept = torch.sigmoid(f + to_f * c) * c
            c = kept + torch.sigmoid(i + to_i * c) * torch.tanh(g)
            h = torch.sigmoid(o + to_o * c) * torch.tanh(c)
            every.append(h)
        return torch.stack(every[::-1] if backwards else every, dim=1), h, c


def greedy_decode(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Greedy decoding: the likeliest symbol of each step, and whether it counts:
    repeats and blanks do not.

    scores: float32 [N, T, C] -> symbol: int64 [N, T], counts: bool [N, T].
    """
    symbol = scores.argmax(dim=2)  # [N, T]
    x = symbol[:, 1:] == symbol[:, :-1]  # [N, T - 1]
    repeated = torch.cat([symbol[:, :1] == -1, x], dim=1)
    counts = (symbol != 0) & ~repeated
    return symbol, counts


class SpeechCTC(nn.Module):
    """speech: float32 [N, T, features]
    -> scores: float32 [N, T, symbols], symbol: int64 [N, T], counts: bool [N, T].
    """

    def __init__(
        self, features: int = 123, hidden: int = 250, layers: int = 3, symbols: int = 62
    ) -> None:
        super().__init__()
        self.lstm = one_bias(
            PeepholeLSTM(
                features,
                hidden,
                num_layers=layers,
                batch_first=True,
                bidirectional=True,
            )
        )
        self.linear = nn.Linear(2 * hidden, symbols)

    def forward(self, speech: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.lstm(speech)[0]  # [N, T, 2 * hidden]
        scores = F.log_softmax(self.linear(x), dim=-1)  # [N, T, symbols]
        symbol, counts = greedy_decode(scores)
        return scores, symbol, counts

"""Tagger.

Printed by dlspec 0.1.0 from specs/sequence/tagger.dls.
"""

from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class Tagger(nn.Module):
    """sentence: int64 [N, T] -> logits: float32 [N, T, tags]."""

    def __init__(
        self, words: int = 10000, width: int = 100, hidden: int = 100, tags: int = 45
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.lstm = one_bias(
            nn.LSTM(width, hidden, batch_first=True, bidirectional=True)
        )
        self.linear = nn.Linear(2 * hidden, tags)

    def forward(self, sentence: Tensor) -> Tensor:
        x = self.embedding(sentence)  # [N, T, width]
        x = self.lstm(x)[0]  # [N, T, 2 * hidden]
        return self.linear(x)

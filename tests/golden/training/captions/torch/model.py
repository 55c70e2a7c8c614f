"""ShowAndTell.

Printed by dlspec 0.1.0 from specs/training/captions.dls.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def one_bias(rnn: nn.RNNBase) -> nn.RNNBase:
    """Hold the second bias at zero: beside the first it only doubles the step."""
    for name, parameter in rnn.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter)
            parameter.requires_grad_(False)
    return rnn


class ShowAndTell(nn.Module):
    """image: float32 [N, 3, 16, 16], sofar: int64 [N, T]
    -> logits: float32 [N, T, symbols].
    """

    def __init__(self, symbols: int = 32, width: int = 96) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.linear1 = nn.Linear(512, width)
        self.embedding = nn.Embedding(symbols, width)
        self.lstm = one_bias(nn.LSTM(width, width, batch_first=True))
        self.linear2 = nn.Linear(width, symbols)

    def forward(self, image: Tensor, sofar: Tensor) -> Tensor:
        x = self.conv1(image)  # [N, 16, 16, 16]
        x = F.max_pool2d(x, 2)  # [N, 16, 8, 8]
        x = self.conv2(F.relu(x))  # [N, 32, 8, 8]
        x = F.max_pool2d(x, 2)  # [N, 32, 4, 4]
        x = F.relu(x)
        x = x.flatten(1)  # [N, 512]
        seen = F.relu(self.linear1(x))  # [N, width]
        x = self.embedding(sofar) + seen[:, None]  # [N, T, width]
        h = self.lstm(x)[0]
        return self.linear2(h)

"""SentenceCNN.

Printed by dlspec 0.1.0 from specs/training/sentence_cnn.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SentenceCNN(nn.Module):
    """sentence: int64 [N, T] -> logits: float32 [N, 2]."""

    def __init__(
        self, words: int = 50, width: int = 16, filters: int = 16, dropout: float = 0.3
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.conv1 = nn.Conv1d(width, filters, 2)
        self.conv2 = nn.Conv1d(width, filters, 3)
        self.conv3 = nn.Conv1d(width, filters, 4)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(3 * filters, 2)

    def forward(self, sentence: Tensor) -> Tensor:
        x = self.embedding(sentence)  # [N, T, width]
        x = x.transpose(-2, -1)  # [N, width, T]
        h = F.relu(self.conv1(x))  # [N, filters, T - 1]
        y = F.relu(self.conv2(x))  # [N, filters, T - 2]
        x = F.relu(self.conv3(x))  # [N, filters, T - 3]
        h = torch.cat([h.amax(dim=2), y.amax(dim=2), x.amax(dim=2)], dim=1)
        return self.linear(self.dropout(h))

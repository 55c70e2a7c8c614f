"""ViT.

Printed by dlspec 0.1.0 from specs/vision/vit.dls.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Every token looks at all others, with `heads` views.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.linear1 = nn.Linear(dim, 3 * dim)
        self.linear2 = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        _, T, D = x.shape
        x = self.linear1(x)  # [N, T, 3 * dim]
        x = x.reshape(-1, T, 3, self.heads, D // self.heads)
        q, k, v = x.permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        x = x.transpose(1, 2).reshape(-1, T, D)  # [N, T, dim]
        return self.linear2(x)


class EncoderLayer(nn.Module):
    """Attention, then two layers for each token; both after normalisation, and added
    to what came in.

    x: float32 [N, T, dim] -> float32 [N, T, dim].
    """

    def __init__(
        self, dim: int, heads: int, hidden: int, dropout: float, eps: float
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.self_attention = SelfAttention(dim, heads)
        self.dropout1 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.linear1 = nn.Linear(dim, hidden)
        self.dropout2 = nn.Dropout(dropout)
        self.linear2 = nn.Linear(hidden, dim)
        self.dropout3 = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout1(self.self_attention(self.norm1(x)))
        h = F.gelu(self.linear1(self.norm2(x)))  # [N, T, hidden]
        return x + self.dropout3(self.linear2(self.dropout2(h)))


class ViT(nn.Module):
    """image: float32 [N, 3, size, size] -> logits: float32 [N, classes]."""

    def __init__(
        self,
        classes: int = 1000,
        size: int = 224,
        patch: int = 16,
        width: int = 768,
        depth: int = 12,
        heads: int = 12,
        hidden: int = 3072,
        dropout: float = 0.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.size = size
        self.patch = patch
        self.width = width
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(
            torch.empty(1, (size // patch) ** 2 + 1, width).normal_(0.0, 0.02)
        )
        self.conv = nn.Conv2d(3, width, patch, stride=patch)
        self.dropout = nn.Dropout(dropout)
        self.encoder_layers = nn.Sequential(
            *[EncoderLayer(width, heads, hidden, dropout, eps) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(width, eps=eps)
        self.linear = nn.Linear(width, classes)

    def forward(self, image: Tensor) -> Tensor:
        N = image.shape[0]
        x = self.conv(image)  # [N, width, size // patch, size // patch]
        x = x.permute(0, 2, 3, 1)  # [N, size // patch, size // patch, width]
        patches = x.reshape(-1, (self.size // self.patch) ** 2, self.width)
        x = self.class_token.expand(N, 1, self.width)  # [N, 1, width]
        tokens = torch.cat([x, patches], dim=1) + self.position  # [N, T', width]
        tokens = self.norm(self.encoder_layers(self.dropout(tokens)))
        x = tokens[:, 0]  # [N, width]
        return self.linear(x)

"""PyTorch scripts as a person writes them: the idiomatic one, and the best that we can for these networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Epoch = Callable[[], object]


class LastState(nn.Module):
    """An LSTM, and a layer over its last state."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.linear = nn.LSTM(16, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.lstm(x)[0][:, -1])


class Encoder(nn.Module):
    """Two layers of a transformer's encoder, and a layer over the mean of the positions."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers, self.linear = nn.Sequential(*layers), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(self.layers(x).mean(1))


class EncoderLayer(nn.Module):
    """The layer with one product for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(64, 192), nn.Linear(64, 64)
        self.up, self.down = nn.Linear(64, 256), nn.Linear(256, 64)
        self.norm1, self.norm2 = nn.LayerNorm(64), nn.LayerNorm(64)

    def forward(self, x: Tensor) -> Tensor:
        n, t, _ = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, 4, 16).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, 64)
        x = self.norm1(x + self.out(seen))
        return self.norm2(x + self.down(F.relu(self.up(x))))


def convolutions(*halved: nn.Module) -> nn.Module:
    """The CNN; `halved` is what comes after a convolution."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), *halved, nn.Conv2d(32, 64, 3), *halved,
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def dense() -> nn.Module:
    """The MLP."""
    return nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))


def encoder_layer() -> nn.Module:
    """PyTorch's own."""
    return nn.TransformerEncoderLayer(64, 4, 256, dropout=0.0, batch_first=True)


IDIOMATIC: dict[str, Callable[[], nn.Module]] = {
    "cnn": lambda: convolutions(nn.ReLU(), nn.MaxPool2d(2)),
    "mlp": dense,
    "lstm": LastState,
    "transformer": lambda: Encoder(encoder_layer(), encoder_layer()),
}
BEST: dict[str, Callable[[], nn.Module]] = {
    **IDIOMATIC,
    "cnn": lambda: convolutions(nn.MaxPool2d(2), nn.ReLU()).to(memory_format=torch.channels_last),
    "transformer": lambda: Encoder(EncoderLayer(), EncoderLayer()),
}


def idiomatic(network: str, columns: dict[str, Any], size: int, setting: str) -> Epoch:
    """`DataLoader` and Adam, as tutorials have it."""
    x, labels = (torch.from_numpy(columns[name]) for name in ("x", "label"))
    model, loss_function = IDIOMATIC[network](), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    dataset = torch.utils.data.TensorDataset(x, labels)
    loader = torch.utils.data.DataLoader(dataset, batch_size=size, shuffle=True)

    def epoch() -> float:
        total = 0.0
        for xs, ys in loader:
            optimizer.zero_grad()
            loss = loss_function(model(xs), ys)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(xs)
        return total / len(labels)

    return epoch


def best(network: str, columns: dict[str, Any], size: int, setting: str) -> Epoch:
    """Batches by permutation and fused Adam; channels-last and pooling before relu where there are convolutions."""
    x, labels = (torch.from_numpy(columns[name]) for name in ("x", "label"))
    if network == "cnn":
        x = x.to(memory_format=torch.channels_last)
    model = BEST[network]()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def loss_of(xs: Tensor, ys: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16, enabled="bf16" in setting):
            logits = model(xs)
        return F.cross_entropy(logits.float(), ys)

    compute = torch.compile(loss_of) if "compile" in setting else loss_of

    def epoch() -> float:
        order, total = torch.randperm(len(labels)), torch.zeros(())
        for start in range(0, len(labels), size):
            rows = order[start : start + size]
            optimizer.zero_grad()
            loss = compute(x[rows], labels[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        return float(total) / len(labels)

    return epoch

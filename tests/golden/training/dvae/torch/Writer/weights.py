"""Weights on disk: one safetensors file, named and laid out as in the spec."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

# Weights with another name here than in the spec.
NAMES = {
    "W.next_.embedding.weight": "W.next.embedding.weight",
    "W.next_.encoder_layers.0.attention.query.weight": "W.next.encoder_layers.0.attention.query.weight",
    "W.next_.encoder_layers.0.attention.query.bias": "W.next.encoder_layers.0.attention.query.bias",
    "W.next_.encoder_layers.0.attention.key.weight": "W.next.encoder_layers.0.attention.key.weight",
    "W.next_.encoder_layers.0.attention.key.bias": "W.next.encoder_layers.0.attention.key.bias",
    "W.next_.encoder_layers.0.attention.value.weight": "W.next.encoder_layers.0.attention.value.weight",
    "W.next_.encoder_layers.0.attention.value.bias": "W.next.encoder_layers.0.attention.value.bias",
    "W.next_.encoder_layers.0.attention.out.weight": "W.next.encoder_layers.0.attention.out.weight",
    "W.next_.encoder_layers.0.attention.out.bias": "W.next.encoder_layers.0.attention.out.bias",
    "W.next_.encoder_layers.0.norm1.weight": "W.next.encoder_layers.0.norm1.weight",
    "W.next_.encoder_layers.0.norm1.bias": "W.next.encoder_layers.0.norm1.bias",
    "W.next_.encoder_layers.0.feed_forward.linear1.weight": "W.next.encoder_layers.0.feed_forward.linear1.weight",
    "W.next_.encoder_layers.0.feed_forward.linear1.bias": "W.next.encoder_layers.0.feed_forward.linear1.bias",
    "W.next_.encoder_layers.0.feed_forward.linear2.weight": "W.next.encoder_layers.0.feed_forward.linear2.weight",
    "W.next_.encoder_layers.0.feed_forward.linear2.bias": "W.next.encoder_layers.0.feed_forward.linear2.bias",
    "W.next_.encoder_layers.0.norm2.weight": "W.next.encoder_layers.0.norm2.weight",
    "W.next_.encoder_layers.0.norm2.bias": "W.next.encoder_layers.0.norm2.bias",
    "W.next_.encoder_layers.1.attention.query.weight": "W.next.encoder_layers.1.attention.query.weight",
    "W.next_.encoder_layers.1.attention.query.bias": "W.next.encoder_layers.1.attention.query.bias",
    "W.next_.encoder_layers.1.attention.key.weight": "W.next.encoder_layers.1.attention.key.weight",
    "W.next_.encoder_layers.1.attention.key.bias": "W.next.encoder_layers.1.attention.key.bias",
    "W.next_.encoder_layers.1.attention.value.weight": "W.next.encoder_layers.1.attention.value.weight",
    "W.next_.encoder_layers.1.attention.value.bias": "W.next.encoder_layers.1.attention.value.bias",
    "W.next_.encoder_layers.1.attention.out.weight": "W.next.encoder_layers.1.attention.out.weight",
    "W.next_.encoder_layers.1.attention.out.bias": "W.next.encoder_layers.1.attention.out.bias",
    "W.next_.encoder_layers.1.norm1.weight": "W.next.encoder_layers.1.norm1.weight",
    "W.next_.encoder_layers.1.norm1.bias": "W.next.encoder_layers.1.norm1.bias",
    "W.next_.encoder_layers.1.feed_forward.linear1.weight": "W.next.encoder_layers.1.feed_forward.linear1.weight",
    "W.next_.encoder_layers.1.feed_forward.linear1.bias": "W.next.encoder_layers.1.feed_forward.linear1.bias",
    "W.next_.encoder_layers.1.feed_forward.linear2.weight": "W.next.encoder_layers.1.feed_forward.linear2.weight",
    "W.next_.encoder_layers.1.feed_forward.linear2.bias": "W.next.encoder_layers.1.feed_forward.linear2.bias",
    "W.next_.encoder_layers.1.norm2.weight": "W.next.encoder_layers.1.norm2.weight",
    "W.next_.encoder_layers.1.norm2.bias": "W.next.encoder_layers.1.norm2.bias",
    "W.next_.linear.weight": "W.next.linear.weight",
    "W.next_.linear.bias": "W.next.linear.bias",
}


def load(model: nn.Module, path: Path | str) -> None:
    """Set all weights of the model; ValueError where the file has others."""
    wanted, found = named(model), load_file(path)
    if wrong := wanted.keys() ^ found.keys():
        raise ValueError(f"{path}: missing or unknown weights {sorted(wrong)}")
    with torch.no_grad():
        for name, tensor in wanted.items():
            if tensor.shape != found[name].shape:
                shapes = f"{list(found[name].shape)}, expected {list(tensor.shape)}"
                raise ValueError(f"{path}: {name} has shape {shapes}")
            tensor.copy_(found[name])


def save(model: nn.Module, path: Path | str) -> None:
    """Write all weights of the model; the file appears only when it is complete."""
    partial = Path(f"{path}.partial")
    save_file({name: t.contiguous() for name, t in named(model).items()}, partial)
    partial.replace(path)


def named(model: nn.Module) -> dict[str, Tensor]:
    """All weights of the model by their names in the spec."""
    state = model.state_dict()
    return {NAMES.get(name, name): value for name, value in state.items()}

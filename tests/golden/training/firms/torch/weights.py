"""Weights on disk: one safetensors file, named and laid out as in the spec."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


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
    return dict(model.state_dict())

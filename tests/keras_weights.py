"""The weights of a live Keras model, by the paths of attributes that the printer states (`weight_map`)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dlspec.weights.layout import apply, invert

Entry = tuple[str, str, str | None]
"""Canonical path, path of attributes (``layers.0.attn.q.kernel``, ``gru.cell.bias[1]``), and layout."""
INDEXED = re.compile(r"(.*)\[(\d+)\]")


def build(model: Any, inputs: Sequence[Any]) -> None:
    """Make the weights of all layers, which Keras does when a model is first called."""
    model(*inputs, training=False)


def load(model: Any, arrays: Mapping[str, Any], weight_map: Sequence[Entry]) -> None:
    """Set the weights of a built model from arrays in canonical names and layout."""
    for canonical, native, layout in weight_map:
        variable, index = find(model, native)
        if index is None:
            variable.assign(apply(layout, arrays[canonical], variable.shape))
        else:
            whole = _array(variable)
            whole[index] = apply(layout, arrays[canonical], whole.shape[1:])
            variable.assign(whole)


def save(model: Any, weight_map: Sequence[Entry]) -> dict[str, Any]:
    """The weights of a built model as arrays in canonical names and layout."""
    arrays = {}
    for canonical, native, layout in weight_map:
        variable, index = find(model, native)
        whole = _array(variable)
        arrays[canonical] = invert(layout, whole if index is None else whole[index])
    return arrays


def find(model: Any, path: str) -> tuple[Any, int | None]:
    """The variable at a path of attributes, and which slice of its first axis is meant."""
    indexed = INDEXED.fullmatch(path)
    at = model
    for part in (indexed[1] if indexed else path).split("."):
        if part.isdigit():
            at = getattr(at, "layers", at)[int(part)]  # a list of blocks, or a `keras.Sequential`
        else:
            at = getattr(at, part)
    return at, int(indexed[2]) if indexed else None


def _array(variable: Any) -> Any:
    from keras import ops

    return ops.convert_to_numpy(variable.value).copy()

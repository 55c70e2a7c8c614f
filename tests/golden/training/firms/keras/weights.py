"""Weights on disk: one safetensors file, named and laid out as in the spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers, ops
from safetensors.numpy import load_file, save_file

from model import Investment

# What to call a model with: shapes and types.
INPUTS: dict[type, list[tuple[tuple[int, ...], str]]] = {
    Investment: [
        ((1,), "int64"),
        ((1,), "float32"),
        ((1,), "float32"),
        ((1,), "float32"),
    ],
}


class Place(NamedTuple):
    """Where a layer keeps a weight of the spec.

    axes: those of the spec's weight, in the order of the variable's.
    """

    variable: str
    axes: tuple[int, ...] = ()


LAYERS: dict[type, dict[str, Place]] = {
    layers.Embedding: {
        "weight": Place("embeddings"),
    },
    layers.Dense: {
        "weight": Place("kernel", (1, 0)),
        "bias": Place("bias"),
    },
}


def load(model: Any, path: Path | str) -> None:
    """Set all weights of the model; ValueError where the file has others."""
    build(model)
    wanted, found = dict(named(model)), load_file(path)
    if wrong := wanted.keys() ^ found.keys():
        raise ValueError(f"{path}: missing or unknown weights {sorted(wrong)}")
    for name, (variable, place) in wanted.items():
        variable.assign(to_variable(found[name], place, variable.shape))


def save(model: Any, path: Path | str) -> None:
    """Write all weights of the model; the file appears only when it is complete."""
    arrays = {}
    for name, (variable, place) in named(model):
        array = ops.convert_to_numpy(variable)
        arrays[name] = np.ascontiguousarray(to_spec(array, place))
    partial = Path(f"{path}.partial")
    save_file(arrays, partial)
    partial.replace(path)


def build(model: Any) -> None:
    """Make the variables, which Keras does when a model is first called."""
    for part in [model, *children(model).values()]:
        if type(part) in INPUTS:
            part(*(np.zeros(shape, dtype) for shape, dtype in INPUTS[type(part)]))


def named(model: Any, prefix: str = "") -> Iterator[tuple[str, tuple[Any, Place]]]:
    """Every weight by its name in the spec: the variable, and where in it."""
    for attribute, child in children(model).items():
        name = prefix + attribute
        places = LAYERS.get(type(child))
        if isinstance(child, keras.Variable):
            yield name, (child, Place(""))
        elif places is None:
            yield from named(child, f"{name}.")
        else:
            for leaf, place in places.items():
                if (variable := find(child, place)) is not None:
                    yield f"{name}.{leaf}", (variable, place)


def children(part: Any) -> dict[str, Any]:
    """The layers and variables of a layer by attribute; those of a list by number."""
    if isinstance(part, keras.Sequential | list):
        layers = part if isinstance(part, list) else part.layers
        attributes = {str(number): layer for number, layer in enumerate(layers)}
    else:
        # With PyTorch below, Keras keeps layers as modules.
        attributes = {**vars(part), **vars(part).get("_modules", {})}
    kinds = (keras.Layer, keras.Variable, list)
    return {
        name: value
        for name, value in attributes.items()
        if isinstance(value, kinds) and not name.startswith("_")
    }


def find(layer: keras.Layer, place: Place) -> Any:
    """The variable at a place; None where the layer has none."""
    part: Any = layer
    for attribute in place.variable.split("."):
        part = getattr(part, attribute, None)
    return part


def to_variable(array: Any, place: Place, shape: tuple[int, ...]) -> Any:
    """The spec's array as the variable has it."""
    if not place.axes:
        return array
    whole = [shape[place.axes.index(axis)] for axis in range(len(shape))]
    return array.reshape(whole).transpose(place.axes)


def to_spec(array: Any, place: Place) -> Any:
    """The variable's array as the spec has it."""
    if place.axes:
        array = array.transpose(np.argsort(place.axes))
    return array

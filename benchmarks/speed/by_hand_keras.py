"""Keras scripts as a person writes them: plain `fit`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers


def idiomatic(network: str, columns: dict[str, Any], size: int, setting: str) -> Callable[[], object]:
    """`fit` over arrays."""
    x, labels = columns["x"], columns["label"]
    if network == "cnn":
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    given = layers.Input(x.shape[1:])
    model = keras.Model(given, layers.Dense(10)(BODIES[network](given)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss)
    return lambda: model.fit(x, labels, batch_size=size, verbose=0)


def cnn(x: Any) -> Any:
    """Convolutions, channels last."""
    x = layers.MaxPooling2D(2)(layers.Conv2D(32, 3, activation="relu")(x))
    x = layers.MaxPooling2D(2)(layers.Conv2D(64, 3, activation="relu")(x))
    return layers.Dense(128, activation="relu")(layers.Flatten()(x))


def transformer(x: Any) -> Any:
    """Two layers of an encoder."""
    for _ in range(2):
        seen = layers.MultiHeadAttention(4, 16)(x, x)
        x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, seen]))
        wide = layers.Dense(256, activation="relu")(x)
        x = layers.LayerNormalization(epsilon=1e-5)(layers.Add()([x, layers.Dense(64)(wide)]))
    return layers.GlobalAveragePooling1D()(x)


BODIES: dict[str, Callable[[Any], Any]] = {
    "cnn": cnn,
    "mlp": layers.Dense(128, activation="relu"),
    "lstm": layers.LSTM(128),
    "transformer": transformer,
}
